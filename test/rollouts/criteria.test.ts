import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { openStage, type Stage } from './stage.fixture.js';
import { Traffic } from './traffic.fixture.js';

/** What a verdict rests on, each where it happens: in workers, at upstreams, and in sessions. */
let stage: Stage;
const STEPS = [
  { percent: 30, seconds: 60 },
  { percent: 100, seconds: 60 },
];
const verdictShape = z.object({
  decision: z.string(),
  findings: z.array(z.object({ criterion: z.string() })),
  candidate: z.object({ calls: z.number(), errors: z.number(), breaker_refusals: z.number() }),
  stable: z.object({ errors: z.number(), breaker_refusals: z.number() }),
});
const criteriaOf = (verdict: unknown) => verdictShape.parse(verdict).findings.map(({ criterion }) => criterion);

beforeAll(async () => {
  stage = await openStage();
}, 120_000);
afterAll(async () => {
  await stage?.close();
});

test('a candidate that breaks an upstream is taken back, and keeps no call of the stable release from it', async () => {
  const shop = await stage.newShop('breaking');
  const traffic = await Traffic.start(shop, 'breaking');
  // Low enough a level for ten failures to open the breaker before they are proof by themselves.
  const order = { steps: STEPS, thresholds: { min_samples: 100 } };
  const { id } = await shop.rollOut({ release: await shop.newRelease('breaking'), ...order });
  const ended = await shop.until(id, ({ ended_at }) => ended_at !== null);
  await traffic.more(50);
  const calls = await traffic.stop();
  const { candidate, stable } = verdictShape.parse(ended.verdict);
  expect([ended.state, ended.reason]).toEqual(['rolled_back', expect.stringContaining('met an open breaker')]);
  expect(criteriaOf(ended.verdict)).toContain('breaker');
  expect(candidate.breaker_refusals).toBeGreaterThan(1);
  expect(stable).toEqual({ errors: 0, breaker_refusals: 0 });
  expect(calls.filter(({ release }) => release === 'one').length).toBeGreaterThan(50);
}, 120_000);

test('an upstream that fails for both releases is not the candidate’s fault', async () => {
  const shop = await stage.newShop('down');
  const traffic = await Traffic.start(shop, 'down');
  const { id } = await shop.rollOut({ release: await shop.newRelease('two'), steps: STEPS });
  await shop.until(id, ({ state }) => state === 'running');
  stage.counter.setDown(true);
  const judged = await shop.until(id, ({ state, verdict }) => {
    const seen = verdictShape.safeParse(verdict);
    return state !== 'running' || (seen.success && seen.data.candidate.breaker_refusals > 60);
  });
  stage.counter.setDown(false);
  await traffic.stop();
  const { decision, candidate, stable } = verdictShape.parse(judged.verdict);
  expect([judged.state, decision === 'bad', stable.breaker_refusals > 0]).toEqual(['running', false, true]);
  expect(candidate.errors).toBeGreaterThan(60);
  await shop.move(id, 'abort');
}, 120_000);

test('a candidate whose worker ends at its calls is found by that', async () => {
  const shop = await stage.newShop('crashing');
  const traffic = await Traffic.start(shop, 'crashing');
  const { id } = await shop.rollOut({
    release: await shop.newCrashingRelease(),
    steps: STEPS,
    thresholds: { min_samples: 100 },
  });
  const ended = await shop.until(id, ({ ended_at }) => ended_at !== null);
  await traffic.stop();
  expect([ended.state, ended.reason]).toEqual(['rolled_back', expect.stringContaining('of calls lost their worker')]);
  expect(criteriaOf(ended.verdict)).toContain('crashes');
}, 120_000);

test('calls of sessions are asked of a shadow as well, and are answered by the stable release alone', async () => {
  const shop = await stage.newShop('sessions');
  const traffic = await Traffic.start(shop, 'sessions');
  const { id } = await shop.rollOut({
    release: await shop.newRelease('two'),
    strategy: 'shadow',
    thresholds: { difference_rate_max: 0.99 },
    steps: [{ percent: 100, seconds: 60 }],
  });
  await shop.until(id, ({ verdict }) => {
    const seen = verdictShape.safeParse(verdict);
    return seen.success && seen.data.candidate.calls > 60;
  });
  const calls = await traffic.stop();
  const shadowed = calls.filter((call) => stage.counter.releasesOf(call.id).includes('two'));
  expect([...new Set(shadowed.map(({ era }) => era))].toSorted()).toEqual(['2025', '2026']);
  expect([...new Set(calls.map(({ release, failure }) => failure ?? release))]).toEqual(['one']);
  const { candidate } = verdictShape.parse((await shop.look(id)).verdict);
  expect(candidate.errors).toBe(0);
}, 120_000);
