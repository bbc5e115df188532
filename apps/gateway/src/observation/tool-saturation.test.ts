import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { startTelemetry } from '#libs/telemetry';
import type { CallEnd, NamedTool } from './call-end.js';
import { countsOf } from './counted.fixture.js';
import { ToolMetrics } from './tool-metrics.js';

const MINUTE_MS = 60_000;
const SATURATION = /wharf_tool_(calls_in_flight|queue_seconds_count|worker_memory_bytes)/;
const FIND: NamedTool = { server: 'shop', name: 'find' };

let telemetry: ReturnType<typeof startTelemetry>;
let nowMs = 0;
let run = 0;
/** Tenants have names of their own in each test, for what is counted is counted in one process. */
let quiet: string;
let metrics: ToolMetrics;

beforeAll(() => {
  telemetry = startTelemetry('gateway');
});

beforeEach(() => {
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  run += 1;
  quiet = `quiet-${run}`;
  metrics = new ToolMetrics();
});

afterEach(() => void jest.restoreAllMocks());

afterAll(() => telemetry.stop());

/** A call of a tool ends, and has told what its worker holds. */
function ends(slug: string, tool = FIND, workerMemoryBytes = 1_000): void {
  const call = { tenant: { slug, servers: [] }, route: { mounts: [] } };
  const ended = { call, outcome: 'ok', fault: undefined, seconds: 1, queueSeconds: 1, workerMemoryBytes };
  metrics.count(ended as unknown as CallEnd, tool); // what is counted needs no more of a call
}

function endMany(slugs: readonly string[], tools: readonly NamedTool[], times: number): void {
  for (const slug of slugs) for (const tool of tools) for (let call = 0; call < times; call += 1) ends(slug, tool);
}

/** A minute passes, after which names are ranked anew by whatever is counted next. */
function rank(slug: string, tool = FIND): void {
  nowMs += MINUTE_MS;
  ends(slug, tool);
}

const others = (count: number): string[] => Array.from({ length: count }, (_, at) => `busy-${run}-${at}`);
const toolsOf = (count: number): NamedTool[] =>
  Array.from({ length: count }, (_, at) => ({ server: 'shop', name: `tool-${at}` }));

/** What is shown of a tenant's tools. */
async function shown(slug: string): Promise<Record<string, number>> {
  const all = Object.entries(await countsOf(SATURATION)).filter(([series]) => series.includes(`tenant=${slug},`));
  return Object.fromEntries(all.map(([series, value]) => [series.replace(`tenant=${slug},`, ''), value]));
}

const FIND_LABELS = '{server=shop,tool=shop/find}';
const OTHER_LABELS = '{server=other,tool=other}';

test('a tenant that loses its rank is shown no more, and its open calls are those of the others until they end', async () => {
  const open = metrics.enter(quiet, FIND);
  metrics.enter(quiet, FIND).leave();
  ends(quiet);
  expect(await shown(quiet)).toEqual({
    [`wharf_tool_calls_in_flight${FIND_LABELS}`]: 1,
    [`wharf_tool_queue_seconds_count${FIND_LABELS}`]: 1,
    [`wharf_tool_worker_memory_bytes${FIND_LABELS}`]: 1_000,
  });
  const busy = others(20);
  endMany(busy, [FIND], 9);
  rank(busy[0] ?? '');
  expect(await shown(quiet)).toEqual({});
  const inFlight = `wharf_tool_calls_in_flight${OTHER_LABELS}`;
  expect(await shown('other')).toMatchObject({ [inFlight]: 1 });
  ends(quiet);
  open.leave();
  expect(await shown(quiet)).toEqual({});
  expect(await shown('other')).toMatchObject({ [inFlight]: 0 });
});

test('a tool that loses its rank is its tenant’s other from then on, with the calls that are open', async () => {
  const open = metrics.enter(quiet, FIND);
  ends(quiet);
  endMany([quiet], toolsOf(200), 9);
  rank(quiet, toolsOf(1)[0]);
  const before = await shown(quiet);
  expect(Object.keys(before).filter((series) => series.includes('shop/find'))).toEqual([]);
  expect(before[`wharf_tool_calls_in_flight${OTHER_LABELS}`]).toBe(1);
  expect(before['wharf_tool_calls_in_flight{server=shop,tool=shop/tool-0}']).toBe(0);
  ends(quiet);
  open.leave();
  const after = await shown(quiet);
  expect(after[`wharf_tool_calls_in_flight${OTHER_LABELS}`]).toBe(0);
  // Tools without a name of their own have no worker in common.
  expect(Object.keys(after)).not.toContain(`wharf_tool_worker_memory_bytes${OTHER_LABELS}`);
});

test('what a worker held is shown for ten minutes after the last call that told it', async () => {
  const series = `wharf_tool_worker_memory_bytes${FIND_LABELS}`;
  ends(quiet, FIND, 5_000);
  nowMs += 9 * MINUTE_MS;
  ends(quiet, FIND, 4_000);
  nowMs += 10 * MINUTE_MS - 1;
  expect(await shown(quiet)).toMatchObject({ [series]: 4_000 });
  nowMs += 1;
  const after = await shown(quiet);
  expect(Object.keys(after)).not.toContain(series);
  expect(after).toMatchObject({ [`wharf_tool_calls_in_flight${FIND_LABELS}`]: 0 });
});
