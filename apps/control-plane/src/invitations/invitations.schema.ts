import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import type { BytesBody } from '../contract/contract-shape.js';
import { groupNames, ROLES } from '../members/members.schema.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';
import { emailAddress, newPassword } from '../signup/signup.schema.js';
import { tenantUrlsSchema } from '../tenants/tenants.schema.js';

const STATES = ['open', 'accepted', 'withdrawn', 'expired'] as const;
const HOURS_MAX = 30 * 24;
const HOURS = 7 * 24;

const invitationSchema = z
  .strictObject({
    id: z.uuid(),
    email: z.string(),
    role: z.enum(ROLES),
    groups: z.array(z.string()),
    state: z.enum(STATES),
    invited_by: z.uuid(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'Invitation' });

/** `POST /v1/invitations` */
export const createInvitation = contract({
  summary: 'Invite somebody by mail to become a member.',
  description:
    'The mail has a link that works once. An open invitation to the same address is withdrawn. Only owners invite owners.',
  body: jsonBody(
    z.strictObject({
      email: emailAddress,
      role: z.enum(ROLES),
      groups: groupNames.default([]),
      expires_in_hours: z
        .int()
        .min(1)
        .max(HOURS_MAX)
        .default(HOURS)
        .meta({ description: 'How long the link works: a week unless said, 30 days at most.' }),
    }),
  ),
  answer: { status: 201, means: 'The invitation is on its way.', schema: invitationSchema },
  refuses: ['conflict'],
});

/** `GET /v1/invitations` */
export const listInvitations = contract({
  summary: 'List the invitations.',
  query: z.strictObject({ state: z.enum(STATES).optional(), limit: pageLimit(200, 200), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'Invitations, newest first.',
    schema: z.strictObject({ invitations: z.array(invitationSchema), next_cursor: nextCursor }),
  },
});

/** `DELETE /v1/invitations/{invitation}` */
export const withdrawInvitation = contract({
  summary: 'Withdraw an invitation; its link stops working.',
  params: z.strictObject({ invitation: z.uuid() }),
  answer: { status: 204, means: 'It is withdrawn, or was already.' },
  refuses: ['conflict'],
});

/** `POST /v1/invitations/acceptance` */
export const acceptInvitation = contract({
  summary: 'Accept an invitation, with the token of its link.',
  description:
    'Who has no account gets one with this password; who has one gives its password. The token counts as proof of the ' +
    'address and works once.',
  body: jsonBody(z.strictObject({ token: z.string().min(1).max(200), password: newPassword }), { bytesMax: 16 * 1024 }),
  answer: {
    status: 200,
    means: 'You are a member now.',
    schema: z.strictObject({ tenant: z.string(), role: z.enum(ROLES), urls: tenantUrlsSchema }),
  },
  refuses: ['not_found', 'conflict', 'tenant_suspended', 'rate_limited'],
});

const form = {
  kind: 'bytes',
  bytesMax: 4 * 1024,
  mediaTypes: ['application/x-www-form-urlencoded'],
} satisfies BytesBody;
const page = { mediaType: 'text/html', schema: z.string() } as const;
const tokenParams = z.strictObject({ token: z.string().regex(/^wiv_[A-Za-z0-9_-]{65}$/) });

/** `GET /v1/invitations/acceptance/{token}` */
export const getAcceptancePage = contract({
  summary: 'The page that the link of an invitation opens.',
  params: tokenParams,
  answer: { status: 200, means: 'A form for a password; nothing is used up.', ...page },
});

/** `POST /v1/invitations/acceptance/{token}` */
export const postAcceptancePage = contract({
  summary: 'What the page of an invitation sends; programs use `POST /v1/invitations/acceptance`.',
  params: tokenParams,
  body: form,
  answer: { status: 200, means: 'A page that says what became of it.', ...page },
  refuses: ['conflict', 'tenant_suspended', 'rate_limited'],
});
