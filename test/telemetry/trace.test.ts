import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  AGENT_TRACE,
  ARGUMENT_CANARY,
  ObservedPlatform,
  SECRET_CANARY,
  type ObservedTenant,
} from './observed-platform.fixture.js';
import type { ReceivedSpan } from '#libs/testing';

/** Other traces than the agent's first, so that each test finds its own. */
const UNSAMPLED = 'f'.repeat(32);
const FAILED = `${'f'.repeat(31)}e`;
const SERVER = '2';
const CLIENT = '3';

let platform: ObservedPlatform;
let tenant: ObservedTenant;
let twin: ObservedTenant;
let scraped: string;

beforeAll(async () => {
  // Traces whose id ends low are sampled, those that end high are not.
  platform = await ObservedPlatform.start({ OTEL_TRACES_SAMPLER_ARG: '0.9' });
  [tenant, twin] = [await platform.openTenant('seen-a'), await platform.openTenant('seen-b')];
  const { traceId, spanId } = AGENT_TRACE;
  const item = ARGUMENT_CANARY;
  await platform.call(tenant, 'find', { item }, `00-${traceId}-${spanId}-01`);
  await platform.call(tenant, 'find', { item }, `00-${UNSAMPLED}-${spanId}-01`);
  await platform.call(tenant, 'broken', { item }, `00-${FAILED}-${spanId}-01`);
  await platform.useAll(tenant);
  await platform.useAll(twin);
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

test('one trace leads from the agent’s span through gateway, runtime, worker and egress to the upstream', () => {
  const spans = spansOf(AGENT_TRACE.traceId);
  const path: ReceivedSpan[] = [];
  for (let parent: string | undefined = AGENT_TRACE.spanId; parent !== undefined; parent = path.at(-1)?.spanId) {
    const next = spans.find((span) => span.parentSpanId === parent);
    if (next === undefined) break;
    path.push(next);
  }
  expect(path.map(({ name, kind }) => [name, String(kind)])).toEqual([
    ['tools/call find', SERVER],
    ['worker-runtime message', SERVER],
    ['worker message', '1'],
    ['GET', CLIENT],
  ]);
  expect(path[0]?.attributes).toMatchObject({
    'mcp.method.name': 'tools/call',
    'gen_ai.tool.name': 'find',
    'gen_ai.operation.name': 'execute_tool',
    'network.transport': 'tcp',
    'wharf.tenant': 'seen-a',
    'wharf.outcome': 'ok',
  });
  expect(path[3]?.attributes).toMatchObject({ 'http.request.method': 'GET', 'http.response.status_code': '200' });
  expect(arrivedOf(AGENT_TRACE.traceId)).toEqual([`00-${AGENT_TRACE.traceId}-${path[3]?.spanId}-01`]);
});

test('the spans of a call that failed are kept in every process, those of one that did not only where it is sampled', () => {
  expect(spansOf(UNSAMPLED)).toEqual([]);
  const failed = spansOf(FAILED);
  expect(failed.map(({ name }) => name).sort()).toEqual([
    'GET',
    'tools/call broken',
    'worker message',
    'worker-runtime message',
  ]);
  const call = failed.find(({ name }) => name === 'tools/call broken');
  expect([call?.failed, call?.attributes['error.type']]).toEqual([true, 'tool_error']);
});

test('a trace goes on to the upstream also where nobody keeps it', () => {
  expect(arrivedOf(UNSAMPLED)).toHaveLength(1);
});

test('no span, no metric and no log line holds an argument, a secret or a credential', () => {
  const seen = `${platform.receiver.text}${scraped}${platform.wharf.logs()}`;
  expect(platform.receiver.text).toContain('tools/call');
  for (const canary of [ARGUMENT_CANARY, SECRET_CANARY, tenant.apiKey.text, twin.apiKey.text])
    expect(seen).not.toContain(canary);
  expect(scraped).not.toContain('no-such-tool');
});

test('no span and no series names two tenants', () => {
  const names = (text: string): number => ['seen-a', 'seen-b'].filter((slug) => text.includes(slug)).length;
  for (const span of platform.receiver.spans) expect(names(JSON.stringify(span))).toBeLessThan(2);
  for (const line of scraped.split('\n')) expect(names(line)).toBeLessThan(2);
});
