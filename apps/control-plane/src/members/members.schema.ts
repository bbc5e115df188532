import { z } from 'zod';
import { keysOfLeavers } from '../api-keys/keys-of-leavers.js';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';

/** What members can be, the strongest first. */
export const ROLES = ['owner', 'admin', 'developer', 'auditor', 'user'] as const;

/** Groups that a tenant puts somebody into. */
export const groupNames = z
  .array(lineOfText(256))
  .max(100)
  .transform((names) => [...new Set(names)].sort())
  .meta({ description: 'Groups, by which servers are opened to people.' });

const memberSchema = z
  .strictObject({
    account_id: z.uuid(),
    email: z.string(),
    role: z.enum(ROLES),
    groups: z.array(z.string()),
    from_provider: z.boolean().meta({ description: 'Let in by an identity provider, which says their groups.' }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Member' });

const removalSchema = z
  .strictObject({
    grants_ended: z.int().meta({ description: 'Agents’ sign-ins that ended.' }),
    invitations_withdrawn: z.int(),
    api_keys_revoked: z.int().meta({ description: 'API keys that they made, which open nothing any more.' }),
    api_keys_kept: z
      .int()
      .meta({ description: 'API keys that they made and go on, because `keys=keep` was asked for.' }),
    clients_known: z.array(z.string()).meta({
      description:
        'OAuth clients that they registered, or whose secret they were given. These go on: give each a new secret.',
    }),
  })
  .meta({ id: 'MemberRemoval' });

const params = z.strictObject({ member: z.uuid().meta({ description: 'The account’s id.' }) });

/** `GET /v1/members` */
export const listMembers = contract({
  summary: 'List the tenant’s members with their roles.',
  query: z.strictObject({
    role: z.enum(ROLES).optional(),
    group: z.string().max(256).optional(),
    limit: pageLimit(200, 200),
    cursor: pageCursor,
  }),
  answer: {
    status: 200,
    means: 'The members, oldest account first.',
    schema: z.strictObject({ members: z.array(memberSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/members/{member}` */
export const getMember = contract({
  summary: 'Show one member.',
  params,
  etag: 'shown',
  answer: { status: 200, means: 'The member.', schema: memberSchema },
});

/** `PATCH /v1/members/{member}` */
export const changeMember = contract({
  summary: 'Change a member’s role or groups.',
  description:
    'Only owners make and change owners; the last one stays. Whom an identity provider let in has the groups that it ' +
    'says, and can be no owner. Invitations that the new role may not send are withdrawn; where it may make no API keys, ' +
    'those that they made are revoked, unless `keys=keep`.',
  params,
  query: z.strictObject({ keys: keysOfLeavers }),
  body: jsonBody(
    z
      .strictObject({ role: z.enum(ROLES), groups: groupNames })
      .partial()
      .refine((changes) => Object.keys(changes).length > 0, 'Name at least one thing to change.'),
  ),
  etag: 'compared',
  answer: { status: 200, means: 'The member.', schema: memberSchema },
  refuses: ['conflict'],
});

/** `DELETE /v1/members/{member}` */
export const removeMember = contract({
  summary: 'Remove a member; what their agents hold, and the API keys that they made, end within seconds.',
  description:
    'Only owners remove owners; the last one stays. Invitations that the member sent are withdrawn. The API keys that ' +
    'they made are revoked, unless `keys=keep`.',
  params,
  query: z.strictObject({ keys: keysOfLeavers }),
  etag: 'compared',
  answer: { status: 200, means: 'They are no member any more; what ended with that.', schema: removalSchema },
  refuses: ['conflict'],
});
