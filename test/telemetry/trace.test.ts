import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  AGENT_TRACE,
  ARGUMENT_CANARY,
  ObservedPlatform,
  SECRET_CANARY,
  type ObservedTenant,
  type Summary,
  type Summed,
} from './observed-platform.fixture.js';
import { assertTraceQl, foundBy } from './traceql.fixture.js';
import type { ReceivedSpan } from '#libs/testing';

/** Other traces than the agent's first, so that each test finds its own. */
const UNSAMPLED = 'f'.repeat(32);
const FAILED = `${'f'.repeat(31)}e`;
const IN_SESSION = '1'.repeat(32);
const FAILED_IN_SESSION = `${'f'.repeat(31)}d`;
const SERVER = '2';
const CLIENT = '3';

let platform: ObservedPlatform;
let tenant: ObservedTenant;
let twin: ObservedTenant;
let scraped: string;
let summaries: Summary[];

beforeAll(async () => {
  // Traces whose id ends low are sampled, those that end high are not.
  platform = await ObservedPlatform.start({ OTEL_TRACES_SAMPLER_ARG: '0.9' });
  [tenant, twin] = [await platform.openTenant('seen-a'), await platform.openTenant('seen-b')];
  await platform.streamLogs(tenant);
  const item = ARGUMENT_CANARY;
  const of = (traceId: string): string => `00-${traceId}-${AGENT_TRACE.spanId}-01`;
  await platform.call(tenant, 'find', { item }, of(AGENT_TRACE.traceId));
  await platform.call(tenant, 'find', { item }, of(UNSAMPLED));
  await platform.call(tenant, 'broken', { item }, of(FAILED));
  await platform.callInSession(tenant, 'find', { item }, of(IN_SESSION));
  await platform.callInSession(tenant, 'broken', { item }, of(FAILED_IN_SESSION));
  await platform.useAll(tenant);
  await platform.useAll(twin);
  await platform.untilLogged(FAILED_IN_SESSION);
  summaries = await Promise.all([platform.summaryOf(tenant, 13), platform.summaryOf(twin, 8)]);
  scraped = await platform.scrape();
  await platform.stop();
});
afterAll(() => platform.stop().catch(() => undefined));

function spansOf(traceId: string): ReceivedSpan[] {
  return platform.receiver.spans.filter((span) => span.traceId === traceId);
}

/** The `traceparent`s of a trace that came to the upstream; probes call it as well, with traces of their own. */
function arrivedOf(traceId: string): Array<string | undefined> {
  const parents = platform.arrived.map(({ headers }) => headers['traceparent']?.toString());
  return parents.filter((parent) => parent?.startsWith(`00-${traceId}-`));
}

test.each([
  ['2026-07-28', AGENT_TRACE.traceId, 'modern'],
  ['2025-11-25', IN_SESSION, 'legacy'],
])(
  'one trace leads from the agent’s span through gateway, runtime, worker and egress to the upstream: %s',
  (_, traceId, era) => {
    const spans = spansOf(traceId);
    const way: ReceivedSpan[] = [];
    for (let parent: string | undefined = AGENT_TRACE.spanId; parent !== undefined; parent = way.at(-1)?.spanId) {
      const next = spans.find((span) => span.parentSpanId === parent);
      if (next === undefined) break;
      way.push(next);
    }
    expect(way.map(({ name, kind }) => [name, String(kind)])).toEqual([
      ['tools/call find', SERVER],
      ['worker-runtime message', SERVER],
      ['worker message', '1'],
      ['GET', CLIENT],
    ]);
    expect(way[0]?.attributes).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'find',
      'gen_ai.operation.name': 'execute_tool',
      'network.transport': 'tcp',
      'wharf.tenant': 'seen-a',
      'wharf.era': era,
      'wharf.outcome': 'ok',
    });
    expect(way[3]?.attributes).toMatchObject({ 'http.request.method': 'GET', 'http.response.status_code': '200' });
    expect(new Set(spans.map((span) => span.service))).toEqual(new Set(['wharf-local', 'wharf-worker-runtime']));
    expect(spans).toHaveLength(way.length);
    expect(arrivedOf(traceId)).toEqual([`00-${traceId}-${way[3]?.spanId}-01`]);
  },
);

test('the spans of a call that failed are kept in every process, those of one that did not only where it is sampled', () => {
  expect(spansOf(UNSAMPLED)).toEqual([]);
  for (const traceId of [FAILED, FAILED_IN_SESSION]) {
    const failed = spansOf(traceId);
    const names = failed.map(({ name }) => name).sort();
    expect(names).toEqual(['GET', 'tools/call broken', 'worker message', 'worker-runtime message']);
    const call = failed.find(({ name }) => name === 'tools/call broken');
    expect([call?.failed, call?.attributes['error.type']]).toEqual([true, 'tool_error']);
  }
});

test('a trace goes on to the upstream also where nobody keeps it', () => {
  expect(arrivedOf(UNSAMPLED)).toHaveLength(1);
});

test('no span, no metric, no log line and no exported audit record holds an argument, a secret or a credential', () => {
  const seen = `${platform.receiver.text}${scraped}${platform.wharf.logs()}`;
  const logged = platform.receiver.logs.flatMap(({ logs }) => logs).filter(({ event }) => event === 'call.completed');
  expect(logged.map((log) => log.traceId)).toEqual(expect.arrayContaining([AGENT_TRACE.traceId, FAILED_IN_SESSION]));
  expect(platform.receiver.text).toContain('tools/call');
  for (const canary of [ARGUMENT_CANARY, SECRET_CANARY, tenant.apiKey.text, twin.apiKey.text])
    expect(seen).not.toContain(canary);
  expect(scraped).not.toContain('no-such-tool');
});

function nameOf({ server, tool }: Summed): string {
  return server === undefined ? 'all' : tool === undefined ? server : `${server}/${tool}`;
}

test('a tenant’s own summary adds up to exactly what it sent, in all, by server and by tool, and to nothing of another’s', () => {
  const [own, others] = summaries.map(({ total, servers, tools }) =>
    [total, ...servers, ...tools].map((sums: Summed) => ({
      of: nameOf(sums),
      calls: sums.calls,
      errors: sums.tool_errors,
      wrong: sums.invalid_arguments,
      unknown: sums.unknown_tools,
      corrected: sums.corrections,
      repeated: sums.repeats,
    })),
  );
  const none = { errors: 0, wrong: 0, unknown: 0, corrected: 0, repeated: 0 };
  const noTool = { ...none, calls: 1, unknown: 1 };
  expect(own).toEqual([
    { of: 'all', calls: 13, errors: 4, wrong: 1, unknown: 1, corrected: 1, repeated: 2 },
    { of: 'shop', calls: 12, errors: 4, wrong: 1, unknown: 0, corrected: 1, repeated: 2 },
    { of: '', ...noTool },
    { of: 'shop/find', calls: 9, errors: 1, wrong: 1, unknown: 0, corrected: 1, repeated: 2 },
    { of: 'shop/broken', ...none, calls: 3, errors: 3 },
    { of: '/other', ...noTool },
  ]);
  expect(others).toEqual([
    { of: 'all', calls: 8, errors: 2, wrong: 1, unknown: 1, corrected: 1, repeated: 1 },
    { of: 'shop', calls: 7, errors: 2, wrong: 1, unknown: 0, corrected: 1, repeated: 1 },
    { of: '', ...noTool },
    { of: 'shop/find', calls: 6, errors: 1, wrong: 1, unknown: 0, corrected: 1, repeated: 1 },
    { of: '/other', ...noTool },
    { of: 'shop/broken', ...none, calls: 1, errors: 1 },
  ]);
  for (const { total } of summaries) {
    expect(total.p95_seconds).toBeGreaterThan(0);
    expect(total.queue_p95_seconds).toBeGreaterThan(0);
    expect(total.concurrency_peak).toBe(1);
  }
});

test('no span and no series names two tenants', () => {
  const names = (text: string): number => ['seen-a', 'seen-b'].filter((slug) => text.includes(slug)).length;
  for (const span of platform.receiver.spans) expect(names(JSON.stringify(span))).toBeLessThan(2);
  for (const line of scraped.split('\n')) expect(names(line)).toBeLessThan(2);
});

interface Dashboard {
  readonly panels: ReadonlyArray<{
    readonly title: string;
    readonly datasource: { readonly type: string };
    readonly targets: ReadonlyArray<{ readonly query?: string }>;
  }>;
}

const DASHBOARDS = 'k8s/base/monitoring/dashboards';
const traceQueries = readdirSync(DASHBOARDS).flatMap((file) => {
  const { panels } = JSON.parse(readFileSync(path.join(DASHBOARDS, file), 'utf8')) as Dashboard; // our own files
  return panels
    .filter(({ datasource }) => datasource.type === 'tempo')
    .flatMap(({ title, targets }) => targets.map(({ query = '' }) => [file, title, query] as const));
});

test.each(traceQueries)('%s: "%s" finds spans of a real run', (_file, _title, query) => {
  const found = foundBy(query.replaceAll('${trace_id}', FAILED), platform.receiver.spans);
  expect(new Set(found.map(({ traceId }) => traceId))).toContain(FAILED);
});

test('Grafana’s grammar refuses what is no query', () => {
  for (const wrong of ['{ status = }', 'span.kind && server', '{ name = "a" '])
    expect(() => assertTraceQl(wrong)).toThrow();
});
