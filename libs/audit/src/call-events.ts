import { z } from 'zod';
import { event, mayBeReduced } from './event-kind.js';

const text = z.string();
const count = z.int().min(0);
const ms = z.number().min(0);
const release = z.strictObject({ id: text, digest: text });
const limit = {
  per: z.array(text).readonly(),
  server: text.nullable(),
  tools: z.array(text).readonly(),
  clients: z.array(text).readonly(),
  calls: count,
  window_seconds: count,
  when_uncertain: text,
};
const budget = { budget: text, month: text, used: count, allowed: count };
/** How a call was answered, as far as there was an answer. */
const answer = {
  duration_ms: ms.optional(),
  http_status: count.optional(),
  rpc_code: z.int().optional(),
  rule: text.optional(),
  ...mayBeReduced,
};

/** What happens to MCP calls, and to the budgets that they use up. */
export const CALL_EVENTS = {
  'call_limit.changed': event('How often tools may be called was limited, or limited otherwise.', limit),
  'call_limit.deleted': event('A limit on calls of tools was lifted.'),
  'budget.warned': event('The month’s calls have used up most of a budget of the plan.', budget),
  'budget.reached': event('The month’s calls have used up a budget of the plan.', budget),
  'call.completed': event(
    'An MCP call ended; its outcome says how.',
    {
      method: text,
      name: text.optional(),
      // Its own name, where its caller knows it by another.
      tool: text.optional(),
      server: text.optional(),
      profile: text.optional(),
      era: z.enum(['modern', 'legacy']),
      release: release.optional(),
      releases: z.array(release).readonly().optional(),
      arguments_digest: text.optional(),
      bytes_in: count.optional(),
      bytes_out: count.optional(),
      bytes_kept: count.optional(),
      egress_bytes: count.optional(),
      queue_ms: ms.optional(),
      worker_ms: ms.optional(),
      upstream_ms: ms.optional(),
      fault: z.enum(['invalid_arguments', 'unknown_tool']).optional(),
      approval: text.optional(),
      result_guard: z
        .strictObject({
          action: z.enum(['redacted', 'refused']),
          too_large: z.literal(true).optional(),
          found: z.record(z.string(), count),
        })
        .optional(),
      arguments: z.unknown().optional(),
      result: z.unknown().optional(),
      ...answer,
    },
    2,
  ),
  'call.refused': event(
    'An MCP call was refused before it reached a worker.',
    { server: text.optional(), profile: text.optional(), method: text.optional(), name: text.optional(), ...answer },
    2,
  ),
  'call.denied': event('An MCP call was refused by a policy, or waits for a person’s approval; `rule` says by which.', {
    server: text.optional(),
    profile: text.optional(),
    method: text.optional(),
    name: text.optional(),
    approval: text.optional(),
    why: text.optional(),
    ...answer,
  }),
  'call.withheld': event(
    'The reply to a call was kept back, although its record had been committed by then and says otherwise; `call` is its id.',
    { call: text, http_status: count, rpc_code: z.int(), bytes_out: count.optional(), ...mayBeReduced },
  ),
} as const;
