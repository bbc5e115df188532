import { z } from 'zod';
import { searchText } from '../contract/text.js';
import { contract, jsonBody } from '../contract/contract.js';
import { nextCursor, shortList } from '../paging/cursor.js';

/** How many limits a tenant has at most: each that applies to a call is counted in the same round trip. */
export const CALL_LIMITS_MAX = 20;

const limitName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'A name has up to 63 of a-z, 0-9 and -, and starts with a letter or digit.')
  .describe('The limit’s name.');
const params = z.strictObject({ name: limitName });

const toolPattern = z
  .string()
  .regex(/^(?:\*|[A-Za-z0-9_./-]{1,128}\*?)$/, 'a tool’s own name, or the beginning of names followed by *');

const choices = {
  per: z
    .array(z.enum(['client', 'person', 'tool']))
    .max(3)
    .refine((each) => new Set(each).size === each.length, 'each once')
    .meta({ description: 'What is counted apart; empty where all calls are counted together.' }),
  server: searchText(64).nullable().meta({ description: 'Only tools of this server, by its slug; null for all.' }),
  tools: z
    .array(toolPattern)
    .min(1)
    .max(50)
    .meta({ description: 'Tools by their own names; `create_*` stands for all that begin so, `*` for every one.' }),
  clients: z
    .array(searchText(512))
    .max(50)
    .meta({ description: 'Only calls of these OAuth clients, or `api-key:` and a key’s id; empty for all.' }),
  calls: z.int().min(1).max(10_000_000),
  window_seconds: z
    .int()
    .min(1)
    .max(2_678_400)
    .meta({ description: 'In any time so long, up to a sixtieth of it; at most 31 days.' }),
  when_uncertain: z
    .enum(['allow', 'refuse'])
    .meta({ description: 'What becomes of calls while they cannot be counted.' }),
};

const limitSchema = z
  .strictObject({ name: z.string(), ...choices, updated_at: z.iso.datetime() })
  .meta({ id: 'CallLimit' });

/** `PUT /v1/call-limits/{name}` */
export const putCallLimit = contract({
  summary: 'Limit how often tools may be called, by client, person or tool.',
  params,
  creates: 'what the path names',
  body: jsonBody(
    z.strictObject({
      ...choices,
      per: choices.per.default([]),
      server: choices.server.default(null),
      tools: choices.tools.default(['*']),
      clients: choices.clients.default([]),
      when_uncertain: choices.when_uncertain.default('allow'),
    }),
  ),
  etag: 'compared',
  answer: { status: 200, means: 'The limit applies from now on.', schema: limitSchema },
  refuses: ['conflict', 'unprocessable'],
});

/** `GET /v1/call-limits/{name}` */
export const getCallLimit = contract({
  summary: 'Show a limit on calls of tools.',
  params,
  etag: 'shown',
  answer: { status: 200, means: 'The limit.', schema: limitSchema },
});

/** `GET /v1/call-limits` */
export const listCallLimits = contract({
  summary: 'List the limits on calls of tools.',
  query: z.strictObject(shortList),
  answer: {
    status: 200,
    means: 'The limits by name.',
    schema: z.strictObject({ call_limits: z.array(limitSchema), next_cursor: nextCursor }),
  },
});

/** `DELETE /v1/call-limits/{name}` */
export const deleteCallLimit = contract({
  summary: 'Lift a limit on calls of tools.',
  params,
  etag: 'compared',
  answer: { status: 204, means: 'The limit is gone.' },
});
