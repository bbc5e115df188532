import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startUpstream, type Upstream } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';
import { openTestShop, type TestShop } from '../journeys/shop.js';

const PER_MINUTE = 1_200;
const SHARE_PER_SECOND = PER_MINUTE / 60;
const CALM_CALLS = 200;
/** Beyond its own means a machine refuses anybody, early and with a time to come again. */
const SERVED_MIN = CALM_CALLS * 0.98;
const REFUSED_WELL = /^(429|503) with Retry-After$/;
let wharf: Wharf;
let upstream: Upstream;
let calm: TestShop;
let noisy: TestShop;

const BODY = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/list',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'noise', version: '1' },
    },
  },
};
const CALL = {
  body: JSON.stringify(BODY),
  headers: {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/list',
  },
};

beforeAll(async () => {
  // With the settings that everybody has.
  [wharf, upstream] = await Promise.all([startWharf(), startUpstream()]);
  calm = await openTestShop(wharf, upstream, 'calm');
  noisy = await openTestShop(wharf, upstream, 'noisy');
});
afterAll(async () => {
  await Promise.all([wharf?.stop(), upstream?.stop()]);
});

async function givePlan(slug: string, perMinute: number): Promise<void> {
  const owner = new Client({ connectionString: wharf.databaseUrl });
  await owner.connect();
  await owner.query(
    `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb)
     values ($1, $2, 1000, 5, 256) on conflict (name) do nothing`,
    [`calls-${perMinute}`, perMinute],
  );
  await owner.query(`update tenants set plan = $2 where slug = $1`, [slug, `calls-${perMinute}`]);
  await owner.end();
}

/** Makes noise at the noisy tenant while `work` runs, and tells how its calls ended. */
async function amidNoise(how: object, work: () => Promise<void>): Promise<Record<string, number>> {
  const noise = JSON.stringify({ url: noisy.serverUrl, bearer: noisy.apiKey.text, ...CALL, ...how });
  const child = spawn(process.execPath, ['test/overload/noise.process.fixture.ts', noise], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = text(child.stdout);
  await once(child, 'spawn');
  await work();
  child.stdin.end();
  return JSON.parse(await said) as Record<string, number>; // its own words
}

/** Calls as a calm tenant does, at its share of calls; how they ended, and the 50th and 99th percentile in ms. */
async function calmCalls(): Promise<{
  readonly ended: Record<string, number>;
  readonly p50: number;
  readonly p99: number;
}> {
  const ended: Record<string, number> = {};
  const times: number[] = [];
  for (let calls = 0; calls < CALM_CALLS; calls += 1) {
    const startedMs = performance.now();
    const headers = { ...CALL.headers, authorization: `Bearer ${calm.apiKey.text}` };
    const response = await fetch(calm.serverUrl, { method: 'POST', headers, body: CALL.body });
    await response.text();
    times.push(performance.now() - startedMs);
    ended[response.status] = (ended[response.status] ?? 0) + 1;
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, 1_000 / SHARE_PER_SECOND - (performance.now() - startedMs))),
    );
  }
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number): number => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10;
  return { ended, p50: at(0.5), p99: at(0.99) };
}

test('a tenant that sends twenty times its share is refused what is above, and the other one nothing', async () => {
  await givePlan('noisy', PER_MINUTE);
  await givePlan('calm', PER_MINUTE * 10);
  await calmCalls();
  const alone = await calmCalls();
  let amid = alone;
  const noise = await amidNoise({ perSecond: SHARE_PER_SECOND * 20 }, async () => {
    amid = await calmCalls();
  });
  process.stdout.write(
    `calm alone ${JSON.stringify(alone)}\ncalm amid noise ${JSON.stringify(amid)}\nnoise ${JSON.stringify(noise)}\n`,
  );
  expect([alone.ended, amid.ended]).toEqual([{ 200: CALM_CALLS }, { 200: CALM_CALLS }]);
  expect(Object.keys(noise).toSorted()).toEqual(['200', '429 with Retry-After']);
  expect(noise['429 with Retry-After']).toBeGreaterThan(noise['200'] ?? 0);
});

test('the calls of another tenant go on in a flood that no plan bounds, and what of it is refused is told when to come again', async () => {
  await givePlan('noisy', 10_000_000);
  let amid: Awaited<ReturnType<typeof calmCalls>> = { ended: {}, p50: 0, p99: 0 };
  const noise = await amidNoise({ atOnce: 128 }, async () => {
    amid = await calmCalls();
  });
  process.stdout.write(`calm amid a flood ${JSON.stringify(amid)}\nflood ${JSON.stringify(noise)}\n`);
  expect(amid.ended['429']).toBeUndefined();
  expect(amid.ended['200']).toBeGreaterThanOrEqual(SERVED_MIN);
  // A bound that is hit early refuses what the machine could do: with one of 20 ms most of these calls, with 100 hardly any.
  const all = Object.values(noise).reduce((sum, count) => sum + count, 0);
  expect(noise['200']).toBeGreaterThan(all / 2);
  expect(Object.keys(noise).filter((how) => !REFUSED_WELL.test(how) && how !== '200')).toEqual([]);
});
