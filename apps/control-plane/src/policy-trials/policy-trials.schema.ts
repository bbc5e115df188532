import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { moment } from '../contract/times.js';
import { ruleFields } from '../policies/policies.schema.js';

/** How many calls a trial looks at. */
const CALLS_MAX = 1_000;

/** What a rule would have done about a call; `unknown` where what it asks about was not recorded. */
export const OUTCOMES = ['allow', 'deny', 'require_approval', 'no_match', 'error', 'unknown'] as const;

const count = z.int();

/** `POST /v1/policies/dry-run` */
export const tryPolicy = contract({
  summary: 'Ask a rule about calls of the past, without writing it.',
  description:
    'Looks at the newest recorded calls. Roles and groups are those of now. What was not recorded is unknown: ' +
    'arguments, unless the server records content (redacted), scopes, the region, and what was erased of a person.',
  body: jsonBody(
    z.strictObject({
      ...ruleFields,
      scope: ruleFields.scope.default('tool_calls'),
      servers: ruleFields.servers.default([]),
      from: moment.optional().meta({ description: 'Only calls since then.' }),
      calls: z.int().min(1).max(CALLS_MAX).default(500).meta({ description: 'How many calls to look at, at most.' }),
    }),
  ),
  answer: {
    status: 200,
    means: 'What would have become of these calls.',
    schema: z.strictObject({
      calls: count.meta({ description: 'How many were looked at.' }),
      oldest: z.iso.datetime().nullable(),
      outcomes: z.strictObject({
        allow: count,
        deny: count,
        require_approval: count,
        no_match: count.meta({ description: 'The rule was not true of them.' }),
        error: count.meta({ description: 'The rule would have failed, so they would have been refused.' }),
        unknown: count,
      }),
      examples: z.array(
        z.strictObject({
          record: z.uuid().meta({ description: 'The record in the audit log.' }),
          at: z.iso.datetime(),
          outcome: z.enum(OUTCOMES),
          method: z.string(),
          server: z.string().nullable(),
          tool: z.string().nullable(),
          actor: z.record(z.string(), z.unknown()),
          why: z.string().nullable(),
        }),
      ),
    }),
  },
  refuses: ['unprocessable'],
});
