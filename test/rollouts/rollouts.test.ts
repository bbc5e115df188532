import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { erasOf, faultsIn, lastedIn, unsteadyCallers } from './readings.fixture.js';
import { openStage, type Stage } from './stage.fixture.js';
import type { RolloutShop, SeenRollout } from './shop.fixture.js';
import { Traffic, type SeenCall } from './traffic.fixture.js';

/** Rollouts under real traffic from MCP clients of both eras, through two gateways. */
let stage: Stage;
jest.setTimeout(480_000);
const QUICK_STEPS = [
  { percent: 10, seconds: 4 },
  { percent: 50, seconds: 4 },
  { percent: 100, seconds: 4 },
];
/** Longer than a gateway takes to hear that a release is taken back, on a machine that is busy. */
const HEARD_MS = 15_000;

/** What is promised of a gateway with little to do; on a quiet machine it takes a twentieth of that. */
const PROMISED_MS = 5_000;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
});

/** What the run came to, for whoever reads its output. */
function note(what: string, figures: Readonly<Record<string, number>>): void {
  process.stdout.write(`  ${what}: ${JSON.stringify(figures)}\n`);
}

/** The moment when a rollout was over. */
function endOf({ ended_at: endedAt }: SeenRollout): number {
  return Date.parse(endedAt ?? '');
}

/** When a rollout's parts changed, as the audit log has it. */
async function momentsOf(shop: RolloutShop, events: readonly string[]): Promise<number[]> {
  const records = await Promise.all(events.map((event) => shop.api.audit({ event })));
  return records
    .flat()
    .map(({ at }) => Date.parse(at))
    .toSorted((left, right) => left - right);
}

function faultsOf(calls: readonly SeenCall[]): unknown[] {
  return faultsIn(stage.counter, calls);
}

function lastedMs(calls: readonly SeenCall[], name: string, sinceMs: number): number {
  return lastedIn(stage.counter, calls, name, sinceMs);
}

test('a blue-green switch and its rollback fail no call and run none twice', async () => {
  const shop = await stage.newShop('green');
  const traffic = await Traffic.start(shop, 'green');
  await traffic.more(300);
  const rollout = await shop.rollOut({ release: await shop.newRelease('two'), strategy: 'blue-green' });
  await shop.until(rollout.id, ({ state }) => state === 'draining');
  await traffic.more(400);
  const before = traffic.reopened.length;
  await shop.api.rollback('shop');
  const rolledBackMs = Date.now();
  const served = await stage.servedBy(shop);
  await traffic.more(400);
  const calls = await traffic.stop();
  expect(served).toEqual(['one', 'one']);
  // Sessions of the release that is gone were told so, and nothing of them is lost.
  expect(traffic.reopened.length).toBeGreaterThan(before);
  expect(faultsOf(calls)).toEqual([]);
  expect(calls.length).toBeGreaterThan(1_000);
  expect(erasOf(calls)).toEqual(['2025', '2026']);
  expect(calls.some(({ release }) => release === 'two')).toBe(true);
  const lasted = lastedMs(calls, 'two', rolledBackMs);
  expect(lasted).toBeLessThan(HEARD_MS);
  const sessions = traffic.reopened.length - before;
  note('blue-green and rollback', { calls: calls.length, candidate_after_rollback_ms: lasted, sessions });
  expect((await shop.look(rollout.id)).state).toBe('aborted');
});

test('a canary that is good goes through its steps, every caller stays with its release, and no call fails', async () => {
  const shop = await stage.newShop('canary');
  const traffic = await Traffic.start(shop, 'canary');
  await traffic.more(100);
  const release = await shop.newRelease('two');
  const rollout = await shop.rollOut({ release, strategy: 'canary', steps: QUICK_STEPS, drain_seconds: 1 });
  const ended = await shop.until(rollout.id, ({ ended_at }) => ended_at !== null);
  await traffic.more(Math.max(50, 1_000 - traffic.calls.length));
  const calls = await traffic.stop();
  expect([ended.state, ended.reason]).toEqual(['promoted', 'Sessions of the old release had 1 s to end.']);
  expect(ended.verdicts).toHaveLength(4);
  expect(faultsOf(calls)).toEqual([]);
  const moments = await momentsOf(shop, ['rollout.started', 'rollout.advanced', 'rollout.switched']);
  expect(moments).toHaveLength(4);
  expect(unsteadyCallers(calls, moments)).toEqual([]);
  note('a good canary', { calls: calls.length, failed: 0 });
  const last = calls.toSorted((left, right) => left.sentMs - right.sentMs).slice(-12);
  expect(last.map((call) => call.release)).toEqual(Array.from({ length: 12 }, () => 'two'));
  expect((await shop.api.release('shop', release)).state).toBe('live');
});

test('pausing, resuming, promoting and aborting a canary fail no call', async () => {
  const shop = await stage.newShop('moved');
  const traffic = await Traffic.start(shop, 'moved');
  const steps = [40, 100].map((percent) => ({ percent, seconds: 600 }));
  const canary = async (name: string): Promise<string> => {
    const { id } = await shop.rollOut({ release: await shop.newRelease(name), steps });
    await shop.until(id, ({ state }) => state === 'running');
    await traffic.more(100);
    return id;
  };
  const promoted = await canary('two');
  const states: string[] = [];
  for (const verb of ['pause', 'resume', 'promote', 'promote'] as const) {
    states.push((await shop.move(promoted, verb)).state);
    await traffic.more(100);
  }
  expect(states).toEqual(['paused', 'running', 'draining', 'promoted']);
  expect(await stage.servedBy(shop)).toEqual(['two', 'two']);
  const aborted = await canary('three');
  expect((await shop.move(aborted, 'abort')).state).toBe('aborted');
  const abortedMs = Date.now();
  await traffic.more(150);
  const calls = await traffic.stop();
  expect(faultsOf(calls)).toEqual([]);
  expect(erasOf(calls)).toEqual(['2025', '2026']);
  const lasted = lastedMs(calls, 'three', abortedMs);
  expect(lasted).toBeLessThan(HEARD_MS);
  expect(await stage.servedBy(shop)).toEqual(['two', 'two']);
  note('paused, resumed, promoted, aborted', { calls: calls.length, failed: 0, candidate_after_abort_ms: lasted });
});

test('without other traffic, an abort is heard by both gateways within 5 s, for new calls and for sessions', async () => {
  const shop = await stage.newShop('quiet');
  const steps = [40, 100].map((percent) => ({ percent, seconds: 600 }));
  const { id } = await shop.rollOut({ release: await shop.newRelease('two'), steps });
  await shop.until(id, ({ state }) => state === 'running');
  const sessions = await stage.sessionsOf(shop, 'two');
  const ended = await shop.move(id, 'abort');
  const heard = (await stage.untilServedBy(shop, 'one', sessions)) - endOf(ended);
  note('an abort, without traffic', { heard_ms: heard });
  expect(heard).toBeLessThan(PROMISED_MS);
});

/** A rate and a number of calls that are chosen before: six agents with a call each in 240 ms are 25 calls a second. */
const MEASURED = { calls: 2_000, everyMs: 240, shareMax: 0.03 };

test('at 25 calls a second, at most 3 % of a rollout’s first 2,000 calls meet a canary that fails a fifth of them', async () => {
  const shop = await stage.newShop('errors');
  const traffic = await Traffic.start(shop, 'errors', { everyMs: MEASURED.everyMs });
  await traffic.more(50);
  const release = await shop.newRelease('bad');
  const rollout = await shop.rollOut({ release, strategy: 'canary' });
  const ended = await shop.until(rollout.id, ({ ended_at }) => ended_at !== null);
  const heard = (await stage.untilServedBy(shop, 'one')) - endOf(ended);
  const [startedMs = Number.NaN] = await momentsOf(shop, ['rollout.started']);
  await traffic.more(MEASURED.calls);
  const calls = await traffic.stop();
  const since = calls.filter(({ sentMs }) => sentMs >= startedMs).toSorted((left, right) => left.sentMs - right.sentMs);
  const measured = since.slice(0, MEASURED.calls);
  expect(measured).toHaveLength(MEASURED.calls);
  expect(ended.state).toBe('rolled_back');
  expect(ended.reason).toMatch(/of calls failed, with the stable release 0.0 %/);
  const saw = calls.filter(({ id }) => stage.counter.releasesOf(id).includes('bad'));
  const sawMeasured = saw.filter((call) => measured.includes(call));
  note('20 % errors, from the first step on', { calls: measured.length, saw: sawMeasured.length });
  expect(sawMeasured.length / measured.length).toBeLessThanOrEqual(MEASURED.shareMax);
  const lasted = lastedMs(calls, 'bad', endOf(ended));
  expect(lasted).toBeLessThan(HEARD_MS);
  note('20 % errors', { calls: calls.length, saw: saw.length, candidate_after_verdict_ms: lasted, heard_ms: heard });
  expect(faultsOf(calls.filter((call) => !saw.includes(call)))).toEqual([]);
  expect(await shop.api.release('shop', release)).toMatchObject({ state: 'rejected' });
  expect(await stage.metrics()).toMatch(/wharf_tool_calls_total\{[^}]*outcome="tool_error",release="candidate"/);
  await expect(shop.move(rollout.id, 'promote')).rejects.toThrow(/409/);
  await expect(shop.rollOut({ release })).rejects.toThrow(/409.*rejected/);
  const [record] = await shop.api.audit({ event: 'rollout.rolled_back' });
  expect(JSON.stringify(record)).toContain('findings');
});

test('a canary that is slow is taken back', async () => {
  const shop = await stage.newShop('slow');
  const traffic = await Traffic.start(shop, 'slow');
  const rollout = await shop.rollOut({
    release: await shop.newRelease('slow'),
    steps: [
      { percent: 30, seconds: 60 },
      { percent: 100, seconds: 60 },
    ],
  });
  const ended = await shop.until(rollout.id, ({ ended_at }) => ended_at !== null);
  const calls = await traffic.stop();
  expect([ended.state, ended.reason]).toEqual([
    'rolled_back',
    expect.stringMatching(/95 of 100 calls took up to \d{3,} ms/),
  ]);
  expect(faultsOf(calls)).toEqual([]);
});

test('a canary that asks for other arguments needs somebody’s word, and is taken back as agents fail at it', async () => {
  const shop = await stage.newShop('strict');
  const traffic = await Traffic.start(shop, 'strict');
  const release = await shop.newRelease('strict', ['id', 'lang']);
  await expect(shop.rollOut({ release })).rejects.toThrow(/409.*breaks agents.*echo/);
  const rollout = await shop.rollOut({ release, acknowledge_breaking: true });
  const ended = await shop.until(rollout.id, ({ ended_at }) => ended_at !== null);
  await traffic.more(100);
  const calls = await traffic.stop();
  expect([ended.state, ended.reason]).toEqual(['rolled_back', expect.stringMatching(/refused for their arguments/)]);
  expect(lastedMs(calls, 'strict', endOf(ended))).toBe(0);
  note('a breaking schema', { calls: calls.length, refused: calls.filter(({ failure }) => failure).length });
});

test('a canary whose worker crashes is taken back', async () => {
  const shop = await stage.newShop('crash');
  const traffic = await Traffic.start(shop, 'crash');
  const steps = [
    { percent: 20, seconds: 60 },
    { percent: 100, seconds: 60 },
  ];
  const rollout = await shop.rollOut({ release: await shop.newCrashingRelease(), steps });
  const ended = await shop.until(rollout.id, ({ ended_at }) => ended_at !== null);
  const endedMs = Date.now();
  await traffic.more(100);
  const calls = await traffic.stop();
  expect([ended.state, ended.reason]).toEqual(['rolled_back', expect.stringMatching(/calls (failed|lost)/)]);
  // Calls that wait for the worker that crashed end long after others that were sent later.
  const after = calls.filter(({ sentMs }) => sentMs > endedMs);
  expect(after.length).toBeGreaterThan(50);
  expect(after.filter(({ release }) => release !== 'one')).toEqual([]);
});

test('a shadow is asked what read-only tools were asked, is never heard, and waits to be promoted', async () => {
  const shop = await stage.newShop('shadow');
  const traffic = await Traffic.start(shop, 'shadow');
  const same = await shop.rollOut({
    release: await shop.newRelease('one', ['id'], 'Says it in other words.'),
    strategy: 'shadow',
    steps: [{ percent: 100, seconds: 1 }],
  });
  const waiting = await shop.until(same.id, ({ state }) => state === 'paused');
  expect(waiting.reason).toMatch(/calls were as good as/);
  await shop.move(same.id, 'abort');
  const other = await shop.rollOut({ release: await shop.newRelease('two'), strategy: 'shadow' });
  const ended = await shop.until(other.id, ({ ended_at }) => ended_at !== null);
  expect([ended.state, ended.reason]).toEqual(['rolled_back', expect.stringMatching(/answers were not those/)]);
  const calls = await traffic.stop();
  expect([...new Set(calls.map(({ release, failure }) => failure ?? release))]).toEqual(['one']);
});
