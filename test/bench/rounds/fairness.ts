import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { familyCpuMs } from '../measure/processes.js';
import { StallWatch, type Stall } from '../measure/stalls.js';
import { percentile } from '../measure/statistics.js';
import { launch, type Launched } from '../platform/launcher.js';
import { planOf, publishTenant, type BenchTenant } from '../platform/tenants.js';
import type { Report } from '../report/report.js';

/** A share of 20 calls a second, as that of a plan of 1,200 in a minute. */
const PER_MINUTE = 1_200;
const SHARE_PER_SECOND = PER_MINUTE / 60;
const TIMES_ITS_SHARE = 20;
/** How much of that is enough: starting the program takes some of the time. */
const NOISE_MIN = 0.9;
/** A calm tenant calls at more than the share, within a plan of its own, for there to be a 99th percentile. */
const CALM_PER_SECOND = 50;
/** Short rounds, and many: the machine's own pace changes from minute to minute. */
const CALLS = 200;
const ROUNDS = 16;
/** Until the compiler has done with what serves and what refuses: a flood of each, then some seconds of the noise. */
const WARM_MS = 8_000;
/** Who makes noise is on other machines; here it has what processors the platform leaves. */
const LOWEST_PRIORITY = 19;
const FLOOD = 64;
const FLOOD_MS = 4_000;
const SETTLE_MS = 1_000;
const NOISE = path.resolve('test/overload/noise.process.fixture.ts');

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'wharf-bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const BODY = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: META } });
const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/list',
};

/** A tool call, which is what most calls are. */
const CALL = {
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'echo', arguments: { text: 'call' }, _meta: META },
  }),
  headers: { ...HEADERS, 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
};

/** When a calm tenant's call was sent, on the clock, and how long it took. */
interface CalmCall {
  readonly sentMs: number;
  readonly ms: number;
}

/** A calm tenant's calls without a neighbour, and beside one. */
interface Round {
  readonly alone: readonly CalmCall[];
  readonly beside: readonly CalmCall[];
}

/** Where the platform lives, and the upstream of its tenants' tools. */
interface Stage {
  readonly dataDir: string;
  readonly port: number;
  readonly upstreamPort: number;
}

/**
 * How long a calm tenant's calls take alone and beside a neighbour that sends twenty times its share, round by round; and
 * what a call costs that is refused, beside one that is served.
 */
export async function measureFairness(report: Report, { dataDir, port, upstreamPort }: Stage): Promise<void> {
  const wharf = await launch(dataDir, port);
  try {
    await planOf(wharf, 'fair', PER_MINUTE * 10);
    const [calm, noisy] = [
      await publishTenant(wharf, upstreamPort, 'calm', 'echo', 'fair'),
      await publishTenant(wharf, upstreamPort, 'noisy', 'echo', 'fair'),
    ];
    await warm(wharf, calm, noisy);
    const watch = await StallWatch.start();
    const rounds: Round[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) rounds.push(await oneRound(calm, noisy));
    const stalls = await watch?.stop();
    const all = { alone: rounds.flatMap(({ alone }) => alone), beside: rounds.flatMap(({ beside }) => beside) };
    report.table(`A calm tenant's calls, ${CALLS} in a round, ms: alone, and beside ${TIMES_ITS_SHARE} times a share`, [
      ...rounds.map((round, index) => rowOf(String(index + 1), round)),
      rowOf('all', all),
      ...(stalls === undefined ? [] : [rowOf('without stalls', outside(stalls, all))]),
    ]);
    await reportRefusals(report, wharf, noisy);
  } finally {
    await wharf.stop();
  }
}

async function warm(wharf: Launched, calm: BenchTenant, noisy: BenchTenant): Promise<void> {
  await planOf(wharf, 'fair-unbound', 10_000_000, noisy.slug);
  await calmCalls(calm);
  await amid({ tenant: noisy, atOnce: FLOOD }, () => pause(WARM_MS));
  await planOf(wharf, 'fair-share', PER_MINUTE, noisy.slug);
  await amid({ tenant: noisy, atOnce: FLOOD }, () => pause(WARM_MS));
  await amid(noiseOf(noisy), () => calmCalls(calm));
}

/** The calls that no stall of a processor has touched. */
function outside(stalls: readonly Stall[], { alone, beside }: Round): Round {
  const isUntouched = ({ sentMs, ms }: CalmCall): boolean =>
    !stalls.some(({ fromMs, toMs }) => fromMs < sentMs + ms && toMs > sentMs);
  return { alone: alone.filter(isUntouched), beside: beside.filter(isUntouched) };
}

function rowOf(round: string, { alone, beside }: Round): Record<string, string | number> {
  const [timesAlone, timesBeside] = [alone.map(({ ms }) => ms), beside.map(({ ms }) => ms)];
  const [p99Alone, p99Beside] = [percentile(timesAlone, 0.99), percentile(timesBeside, 0.99)];
  return {
    round,
    calls: alone.length + beside.length,
    'p50 alone': percentile(timesAlone, 0.5),
    'p50 beside': percentile(timesBeside, 0.5),
    'p99 alone': p99Alone,
    'p99 beside': p99Beside,
    'p99 beside / alone': p99Beside / p99Alone,
  };
}

function noiseOf(tenant: BenchTenant): Noise {
  return { tenant, perSecond: SHARE_PER_SECOND * TIMES_ITS_SHARE };
}

async function oneRound(calm: BenchTenant, noisy: BenchTenant): Promise<Round> {
  const alone = await calmCalls(calm);
  let beside = alone;
  const startedMs = performance.now();
  const ended = await amid(noiseOf(noisy), async () => {
    await pause(SETTLE_MS);
    beside = await calmCalls(calm);
  });
  requireNoise(ended, (performance.now() - startedMs) / 1_000);
  await pause(SETTLE_MS);
  return { alone, beside };
}

/** Who has the lowest priority may not come to make the noise. @throws Error where there was too little of it */
function requireNoise(ended: Readonly<Record<string, number>>, seconds: number): void {
  const perSecond = Object.values(ended).reduce((sum, count) => sum + count, 0) / seconds;
  if (perSecond >= SHARE_PER_SECOND * TIMES_ITS_SHARE * NOISE_MIN) return;
  throw new Error(`only ${Math.round(perSecond)} calls a second were made as noise; the machine has no time for them`);
}

/** Makes calls at a steady pace. @throws Error where one is refused */
async function calmCalls({ echoUrl, apiKey }: BenchTenant): Promise<CalmCall[]> {
  const calls: CalmCall[] = [];
  while (calls.length < CALLS) {
    const [sentMs, startedMs] = [Date.now(), performance.now()];
    const answer = await fetch(echoUrl, {
      method: 'POST',
      headers: { ...HEADERS, authorization: `Bearer ${apiKey}` },
      body: BODY,
    });
    await answer.text();
    if (answer.status !== 200) throw new Error(`the calm tenant was answered ${answer.status}`);
    calls.push({ sentMs, ms: performance.now() - startedMs });
    await pause(Math.max(0, 1_000 / CALM_PER_SECOND - (performance.now() - startedMs)));
  }
  return calls;
}

interface Noise {
  readonly tenant: BenchTenant;
  readonly bearer?: string;
  readonly perSecond?: number;
  readonly atOnce?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes noise in a process of its own while `work` runs; how its calls ended. */
async function amid(
  { tenant, perSecond, ...how }: Noise,
  work: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const noise = { url: tenant.echoUrl, bearer: tenant.apiKey, body: BODY, headers: HEADERS, perSecond, ...how };
  const child = spawn(process.execPath, [NOISE, JSON.stringify(noise)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = text(child.stdout);
  await once(child, 'spawn');
  if (perSecond !== undefined && child.pid !== undefined) setPriority(child.pid, LOWEST_PRIORITY);
  await work();
  child.stdin.end();
  return JSON.parse(await said) as Record<string, number>; // its own words
}

/** CPU of all processes for 1,000 calls of a flood, beyond what they use without calls, by how most of them ended. */
async function reportRefusals(report: Report, wharf: Launched, tenant: BenchTenant): Promise<void> {
  const rows: Array<Record<string, string | number>> = [];
  await pause(SETTLE_MS);
  const restingMs = familyCpuMs(wharf.pid);
  await pause(FLOOD_MS + SETTLE_MS);
  const idleMs = familyCpuMs(wharf.pid) - restingMs;
  const flood = async (what: string, bearer = tenant.apiKey): Promise<void> => {
    await pause(SETTLE_MS);
    const before = familyCpuMs(wharf.pid);
    const ended = await amid({ tenant, bearer, atOnce: FLOOD, ...CALL }, () => pause(FLOOD_MS));
    await pause(SETTLE_MS);
    const calls = Object.values(ended).reduce((sum, count) => sum + count, 0);
    const how = Object.entries(ended).map(([name, count]) => `${count} × ${name}`);
    const spentMs = familyCpuMs(wharf.pid) - before - idleMs;
    rows.push({ what, ended: how.join(', '), 'CPU ms/1000': (spentMs / calls) * 1_000 });
  };
  await planOf(wharf, 'unbound', 10_000_000, tenant.slug);
  await flood('warming up');
  rows.length = 0;
  await flood('without a bound');
  await planOf(wharf, 'one', 1, tenant.slug);
  await flood('above its plan');
  await flood('with a wrong key', `${tenant.apiKey.slice(0, -1)}${tenant.apiKey.endsWith('A') ? 'B' : 'A'}`);
  report.table(`CPU of a flood of ${FLOOD} at once, by how it ended`, rows);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
