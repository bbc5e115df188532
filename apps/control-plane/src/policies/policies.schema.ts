import { z } from 'zod';
import { EFFECTS, EXPRESSION_LENGTH_MAX, RULE_SCOPES } from '#libs/policies';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText, searchText } from '../contract/text.js';
import { nextCursor, shortList } from '../paging/cursor.js';

/** How many rules a tenant has at most: each may be asked about every call. */
export const POLICIES_MAX = 50;

const policyName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'A name has up to 63 of a-z, 0-9 and -, and starts with a letter or digit.')
  .describe('The policy’s name.');
const params = z.strictObject({ name: policyName });

/** What a rule is, whether it is kept or tried out. */
export const ruleFields = {
  scope: z.enum(RULE_SCOPES).meta({
    description:
      '`tool_calls`: asked about calls of tools, with the tool and its arguments. `requests`: asked about every ' +
      'request of an agent, whatever it is for, by who asks, whence and when.',
  }),
  effect: z.enum(EFFECTS).meta({ description: 'What becomes of a call that the expression is true of.' }),
  expression: searchableExpression().meta({
    description: 'In CEL, over `principal`, `client`, `source`, `now`, `region`, and for calls `tool` and `arguments`.',
  }),
  servers: z
    .array(searchText(64))
    .max(50)
    .refine((slugs) => new Set(slugs).size === slugs.length, 'each once')
    .meta({ description: 'Only tools of these servers, by their slugs; empty for all.' }),
};

const choices = {
  priority: z.int().min(0).max(10_000).meta({ description: 'Lower ones are asked first; then by name.' }),
  enabled: z.boolean(),
  ...ruleFields,
  message: lineOfText(300)
    .nullable()
    .meta({ description: 'What whoever is refused is told; null for a plain sentence.' }),
  approval_seconds: z
    .int()
    .min(60)
    .max(86_400)
    .meta({ description: 'How long a call waits for its approval, and an approval for its call.' }),
  self_approval: z.boolean().meta({ description: 'Whether whoever made a call may approve it.' }),
};

const policySchema = z
  .strictObject({ name: z.string(), ...choices, expression: z.string(), updated_at: z.iso.datetime() })
  .meta({ id: 'Policy' });

/** `PUT /v1/policies/{name}` */
export const putPolicy = contract({
  summary: 'Write a rule on calls: which are allowed, refused, or wait for a person’s approval.',
  params,
  creates: 'what the path names',
  body: jsonBody(
    z.strictObject({
      ...choices,
      priority: choices.priority.default(1_000),
      enabled: choices.enabled.default(true),
      scope: ruleFields.scope.default('tool_calls'),
      message: choices.message.default(null),
      servers: ruleFields.servers.default([]),
      approval_seconds: choices.approval_seconds.default(900),
      self_approval: choices.self_approval.default(false),
    }),
  ),
  etag: 'compared',
  answer: { status: 200, means: 'The rule holds from now on.', schema: policySchema },
  refuses: ['conflict', 'unprocessable'],
});

/** `GET /v1/policies/{name}` */
export const getPolicy = contract({
  summary: 'Show a rule on calls.',
  params,
  etag: 'shown',
  answer: { status: 200, means: 'The rule.', schema: policySchema },
});

/** `GET /v1/policies` */
export const listPolicies = contract({
  summary: 'List the rules on calls.',
  query: z.strictObject(shortList),
  answer: {
    status: 200,
    means: 'The rules by name.',
    schema: z.strictObject({ policies: z.array(policySchema), next_cursor: nextCursor }),
  },
});

/** `DELETE /v1/policies/{name}` */
export const deletePolicy = contract({
  summary: 'Delete a rule on calls.',
  params,
  etag: 'compared',
  answer: { status: 204, means: 'The rule is gone.' },
});

/** Lines and tabs are fine; PostgreSQL keeps no zero, and nobody sees the other control characters. */
function searchableExpression(): z.ZodString {
  return z
    .string()
    .min(1)
    .max(EXPRESSION_LENGTH_MAX)
    .regex(/^[^\p{Cs}\u0000-\u0008\u000b-\u001f\u007f]*$/u, 'text without control characters');
}
