import { z } from 'zod';
import { AUDIT_EVENTS, AUDIT_OUTCOMES } from '#libs/audit';
import { contract } from '../contract/contract.js';
import { moment } from '../contract/times.js';
import { searchText } from '../contract/text.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';

/** `GET /v1/audit/events` */
export const listAuditEvents = contract({
  summary: 'List every event that the audit log can hold.',
  answer: {
    status: 200,
    means: 'The catalogue, by name.',
    schema: z.strictObject({
      events: z.array(
        z.strictObject({
          name: z.string(),
          means: z.string(),
          version: z.int().meta({ description: 'Grows when a detail is taken away or means something else.' }),
          details: z.record(z.string(), z.unknown()).meta({ description: 'The JSON Schema of a record’s details.' }),
        }),
      ),
    }),
  },
});

const [first, ...others] = Object.keys(AUDIT_EVENTS);
// The catalogue is never empty.
const eventName = z.enum([first ?? '', ...others]);

/** A record of the audit log. */
export const recordSchema = z
  .strictObject({
    id: z.uuid(),
    leaf_index: z.int().nullable().meta({ description: 'Its number in the log; null for a moment after it happened.' }),
    at: z.iso.datetime(),
    event: z.string(),
    actor: z.looseObject({ kind: z.string() }),
    target: z.string(),
    outcome: z.string(),
    details: z.record(z.string(), z.unknown()),
    source_address: z.string().nullable(),
    trace_id: z.string().nullable(),
    personal: z.enum(['none', 'shown', 'erased']).meta({
      description: 'Whether it holds what is about a person, and whether that person was erased.',
    }),
  })
  .meta({ id: 'AuditRecord' });

const ACTOR_KINDS = ['person', 'client', 'api-key', 'operator', 'system', 'anonymous'] as const;
const wholeNumber = (form: RegExp, what: string) => z.string().regex(form, what).transform(Number);
const milliseconds = wholeNumber(/^\d{1,9}$/, 'whole milliseconds');
const bytes = wholeNumber(/^\d{1,12}$/, 'a whole number of bytes');

/** What narrows a reading of the log. */
export const auditFilter = {
  event: eventName.optional(),
  actor: searchText(128).optional().meta({ description: 'The actor’s id, or `{kind}:{id}`.' }),
  target: searchText(256).optional().meta({ description: 'For example `release:{id}`.' }),
  outcome: z.enum(AUDIT_OUTCOMES).optional().meta({ description: 'What came of it.' }),
  server: searchText(64).optional().meta({ description: 'The server’s slug.' }),
  tool: searchText(128).optional().meta({
    description:
      'The tool, prompt or resource that was called; a tool or prompt with `{server}__` before its name, or without.',
  }),
  client: searchText(256).optional().meta({ description: 'The OAuth client.' }),
  trace_id: searchText(64).optional(),
  actor_kind: z.enum(ACTOR_KINDS).optional(),
  acting: searchText(256).optional().meta({ description: 'A client that acted for the person, first or further on.' }),
  release: searchText(128).optional().meta({ description: 'The release’s id or digest.' }),
  method: searchText(64).optional().meta({ description: 'The MCP method, for example `tools/call`.' }),
  era: z.enum(['modern', 'legacy']).optional(),
  rule: searchText(256).optional().meta({ description: 'The limit, scope or policy that decided.' }),
  http_status: wholeNumber(/^[1-5]\d\d$/, 'an HTTP status').optional(),
  rpc_code: wholeNumber(/^-?\d{1,6}$/, 'a JSON-RPC code').optional(),
  duration_ms_min: milliseconds.optional().meta({ description: 'Calls that took at least so long.' }),
  duration_ms_max: milliseconds.optional().meta({ description: 'Calls that took at most so long.' }),
  queue_ms_min: milliseconds.optional().meta({ description: 'Calls that waited with us at least so long.' }),
  queue_ms_max: milliseconds.optional().meta({ description: 'Calls that waited with us at most so long.' }),
  worker_ms_min: milliseconds.optional().meta({ description: 'Calls that their worker had at least so long.' }),
  worker_ms_max: milliseconds.optional().meta({ description: 'Calls that their worker had at most so long.' }),
  upstream_ms_min: milliseconds.optional().meta({ description: 'Calls whose upstreams took at least so long.' }),
  upstream_ms_max: milliseconds.optional().meta({ description: 'Calls whose upstreams took at most so long.' }),
  bytes_in_min: bytes.optional().meta({ description: 'Calls with requests of at least so many bytes.' }),
  bytes_in_max: bytes.optional().meta({ description: 'Calls with requests of at most so many bytes.' }),
  bytes_out_min: bytes.optional().meta({ description: 'Calls with answers of at least so many bytes.' }),
  bytes_out_max: bytes.optional().meta({ description: 'Calls with answers of at most so many bytes.' }),
  source_address: searchText(64).optional(),
  arguments_digest: searchText(128).optional().meta({ description: '`sha256:…` of the arguments.' }),
  from: moment.optional().meta({ description: 'Records of this time and later.' }),
  to: moment.optional().meta({ description: 'Records before this time.' }),
};

/** Refuses a time or a span that begins after its end: nothing could ever be in it. */
export function refuseBackwards(query: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  const { from, to } = query;
  // Both are times in UTC, in one form.
  if (typeof from === 'string' && typeof to === 'string' && from > to) {
    context.addIssue({ code: 'custom', path: ['to'], message: 'a time that is not before `from`' });
  }
  for (const [name, least] of Object.entries(query)) {
    const most = query[name.replace(/_min$/, '_max')];
    if (!name.endsWith('_min') || typeof least !== 'number' || typeof most !== 'number' || least <= most) continue;
    const message = `a number that is not below \`${name}\``;
    context.addIssue({ code: 'custom', path: [name.replace(/_min$/, '_max')], message });
  }
}

/** `GET /v1/audit` */
export const queryAudit = contract({
  summary: 'Read the tenant’s audit log.',
  description:
    'One answer looks at ten thousand records at most: a page may be short, or empty, and go on all the same. The last ' +
    'page is the one whose `next_cursor` is null. Name `from` and `to` to look at fewer.',
  query: z.strictObject({ ...auditFilter, limit: pageLimit(200), cursor: pageCursor }).superRefine(refuseBackwards),
  answer: {
    status: 200,
    means: 'Records, newest first.',
    schema: z.strictObject({ records: z.array(recordSchema), next_cursor: nextCursor }),
  },
});
