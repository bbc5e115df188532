import { z } from 'zod';
import { OPERATOR_ROLES } from '../access/operator-roles.js';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { reasonText } from '../operators/act.js';
import { operatorKeySchema } from '../operator-own/operator-own.schema.js';
import { nextCursor, pageCursor, pageLimit, shortList } from '../paging/cursor.js';
import { emailAddress } from '../signup/signup.schema.js';

const role = z.enum(OPERATOR_ROLES);

/** An operator with an account. */
export const operatorSchema = z
  .strictObject({
    id: z.uuid(),
    name: z.string(),
    email: z.string(),
    role,
    status: z.enum(['invited', 'active', 'disabled']),
    created_at: z.iso.datetime(),
    last_signed_in_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Operator' });

const oneOperator = z.strictObject({ operator: operatorSchema });
const invited = oneOperator.extend({
  invitation: z.strictObject({ text: z.string(), expires_at: z.iso.datetime() }),
});
const params = z.strictObject({ id: z.uuid() });

/** `GET /admin/v1/operators` */
export const listOperators = contract({
  summary: 'List operators’ accounts.',
  query: z.strictObject({ limit: pageLimit(100), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'Accounts, newest first.',
    schema: z.strictObject({ operators: z.array(operatorSchema), next_cursor: nextCursor }),
  },
});

/** `POST /admin/v1/operators` */
export const inviteOperator = contract({
  summary: 'Invite an operator; the invitation is shown this once and ends after three days.',
  body: jsonBody(z.strictObject({ email: emailAddress, name: lineOfText(120), role, reason: reasonText })),
  answer: { status: 201, means: 'The account, to be enrolled with its invitation.', schema: invited },
  refuses: ['conflict'],
});

/** `PATCH /admin/v1/operators/{id}` */
export const changeOperator = contract({
  summary: 'Give another operator another role, or shut their account or open it again; it holds at once.',
  params,
  body: jsonBody(
    z
      .strictObject({ role: role.optional(), disabled: z.boolean().optional(), reason: reasonText })
      .refine(({ role: to, disabled }) => to !== undefined || disabled !== undefined, 'Name `role` or `disabled`.'),
  ),
  answer: { status: 200, means: 'The account as it is now.', schema: oneOperator },
  refuses: ['conflict'],
});

/** `POST /admin/v1/operators/{id}/invitation` */
export const reinviteOperator = contract({
  summary:
    'Invite another operator again: password, authenticator app, sessions and keys of the account are forgotten.',
  params,
  body: jsonBody(z.strictObject({ reason: reasonText })),
  answer: { status: 201, means: 'The account, to be enrolled again.', schema: invited },
  refuses: ['conflict'],
});

/** `GET /admin/v1/operators/{id}/keys` */
export const listKeysOf = contract({
  summary: 'List another operator’s keys.',
  params,
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'Their keys that open something, newest first.',
    schema: z.strictObject({ keys: z.array(operatorKeySchema), next_cursor: nextCursor }),
  },
});

/** `DELETE /admin/v1/operators/{id}/keys/{key}` */
export const revokeKeyOf = contract({
  summary: 'Revoke a key of another operator; it opens nothing from then on.',
  params: params.extend({ key: z.uuid() }),
  query: z.strictObject({ reason: reasonText }),
  answer: { status: 204, means: 'The key is revoked.' },
  refuses: ['conflict'],
});
