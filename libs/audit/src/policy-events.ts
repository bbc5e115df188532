import { z } from 'zod';
import { event } from './event-kind.js';

const text = z.string();
const count = z.int().min(0);
const policy = {
  priority: count,
  enabled: z.boolean(),
  scope: text,
  effect: text,
  expression: text,
  message: text.nullable(),
  servers: z.array(text).readonly(),
  approval_seconds: count,
  self_approval: z.boolean(),
};
const approval = { rule: text, server: text, tool: text };
const decision = { ...approval, requester: z.unknown(), reason: text.nullable() };

/** What happens to a tenant's rules on calls, and to calls that a person approves. */
export const POLICY_EVENTS = {
  'policy.created': event('A rule on calls was written.', policy),
  'policy.updated': event('A rule on calls was changed.', policy),
  'policy.deleted': event('A rule on calls was deleted.'),
  'approval.requested': event('A call waits for a person’s approval.', { ...approval, expires_at: text }),
  'approval.approved': event('A person approved one run of a call.', { ...decision, expires_at: text }),
  'approval.refused': event('A person refused a call.', decision),
  'approval.expired': event('A call was not decided, or not made again, in time.', approval),
} as const;
