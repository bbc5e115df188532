import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';

const STATES = ['pending', 'approved', 'refused', 'used', 'expired'] as const;

const params = z.strictObject({
  approval: z.uuid().meta({ description: 'The approval’s id, as the agent was told it.' }),
});

const actor = z.record(z.string(), z.unknown());

const approvalFields = {
  id: z.uuid(),
  state: z.enum(STATES).meta({
    description: '`pending` until it is decided, `used` once its call has run; `expired` where either took too long.',
  }),
  rule: z.string().meta({ description: 'The policy that asked for it, `policy:{name}`, or the server’s switch.' }),
  requester: actor.meta({ description: 'Who made the call, as the audit log names them.' }),
  server: z.string(),
  tool: z.string(),
  requested_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  decided_at: z.iso.datetime().nullable(),
  decided_by: actor.nullable(),
  reason: z.string().nullable(),
  used_at: z.iso.datetime().nullable(),
};

/** A call that waits for a person, or waited. */
export const approvalSchema = z.strictObject(approvalFields).meta({ id: 'Approval' });

/** `GET /v1/approvals` */
export const listApprovals = contract({
  summary: 'List calls that wait for a person’s approval, and what became of others.',
  query: z.strictObject({ state: z.enum(STATES).optional(), limit: pageLimit(100), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'Approvals, newest first.',
    schema: z.strictObject({ approvals: z.array(approvalSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/approvals/{approval}` */
export const getApproval = contract({
  summary: 'Show a call that waits, with its arguments.',
  params,
  etag: 'shown',
  answer: {
    status: 200,
    means: 'The approval.',
    schema: z.strictObject({
      ...approvalFields,
      arguments: z.unknown().meta({ description: 'What the tool is asked; null once their key is gone.' }),
    }),
  },
});

const decision = jsonBody(
  z.strictObject({
    reason: lineOfText(300).nullable().default(null).meta({ description: 'Why; whose call is refused is told.' }),
  }),
);

/** `POST /v1/approvals/{approval}/approve` */
export const approveCall = contract({
  summary: 'Approve one run of a call.',
  description:
    'The same principal may make the same call, with the same arguments, once, within the time that the rule gives. ' +
    'Whoever made the call cannot approve it, unless the rule lets them.',
  params,
  body: decision,
  answer: { status: 200, means: 'The approval, which waits for its call.', schema: approvalSchema },
  refuses: ['conflict'],
});

/** `POST /v1/approvals/{approval}/refuse` */
export const refuseCall = contract({
  summary: 'Refuse a call.',
  params,
  body: decision,
  answer: { status: 200, means: 'The approval, refused.', schema: approvalSchema },
  refuses: ['conflict'],
});
