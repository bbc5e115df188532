import { z } from 'zod';
import { OPERATOR_ROLES } from '../access/operator-roles.js';
import { PLATFORM_PERMISSIONS } from '../access/permissions.js';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { reasonText } from '../operators/act.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const role = z.enum(OPERATOR_ROLES);

/** A key of an operator's account. */
export const operatorKeySchema = z
  .strictObject({
    id: z.uuid(),
    name: z.string(),
    role,
    prefix: z.string(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'OperatorKey' });

/** `GET /admin/v1/me` */
export const showSelf = contract({
  summary: 'Show who you are as an operator, and what these credentials allow.',
  answer: {
    status: 200,
    means: 'You.',
    schema: z.strictObject({
      operator: z.strictObject({ id: z.uuid(), role }),
      credential: z.enum(['session', 'key', 'break_glass']),
      permissions: z.array(z.enum(PLATFORM_PERMISSIONS)),
    }),
  },
});

/** `POST /admin/v1/me/sign-out` */
export const signOut = contract({
  summary: 'End the session that this request is sent with; with a key there is nothing to end.',
  answer: { status: 204, means: 'The session has ended.' },
});

/** `GET /admin/v1/me/keys` */
export const listOwnKeys = contract({
  summary: 'List your keys.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'Your keys that open something, newest first.',
    schema: z.strictObject({ keys: z.array(operatorKeySchema), next_cursor: nextCursor }),
  },
});

/** `POST /admin/v1/me/keys` */
export const createOwnKey = contract({
  summary: 'Make a key for programs of yours; its text is shown this once.',
  description: 'It may what its role and yours both may: a change of your role holds for your keys at once.',
  body: jsonBody(
    z.strictObject({
      name: lineOfText(120),
      role: role.optional().meta({ description: 'Yours where it is left out, and never more.' }),
      days: z.int().min(1).max(365).default(90).meta({ description: 'How long it is good for.' }),
      reason: reasonText,
    }),
  ),
  answer: { status: 201, means: 'The key.', schema: z.strictObject({ key: operatorKeySchema, text: z.string() }) },
  refuses: ['conflict', 'unprocessable'],
});

/** `DELETE /admin/v1/me/keys/{id}` */
export const revokeOwnKey = contract({
  summary: 'Revoke one of your keys; it opens nothing from then on.',
  params: z.strictObject({ id: z.uuid() }),
  query: z.strictObject({ reason: reasonText }),
  answer: { status: 204, means: 'The key is revoked.' },
});
