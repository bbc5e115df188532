import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openStage, type Stage } from './stage.fixture.js';
import { Traffic, type SeenCall } from './traffic.fixture.js';

/** Rollouts go on where they were when what carries them is killed without warning. */
let stage: Stage;
jest.setTimeout(480_000);

beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
});

/** The calls that were sent last; one that waits for what was killed ends long after others that were sent later. */
function lastSent(calls: readonly SeenCall[], count: number): readonly SeenCall[] {
  return calls.toSorted((left, right) => left.sentMs - right.sentMs).slice(-count);
}

/** Kills the controller, Redis and a gateway one after the other, each while calls are made, and brings them back. */
async function killEach(traffic: Traffic): Promise<void> {
  for (const killed of [stage.background, stage.gateways[0]]) {
    await killed.kill();
    await traffic.more(20);
    await killed.start();
  }
  await stage.redis.crash();
  await traffic.more(20);
}

test('the controller, Redis and a gateway are killed in every step, and a good canary is promoted', async () => {
  const shop = await stage.newShop('killed');
  const traffic = await Traffic.start(shop, 'killed');
  // Long enough for all three to be killed and to come back.
  const seconds = 8;
  const steps = [20, 50, 100].map((percent) => ({ percent, seconds }));
  const release = await shop.newRelease('two');
  const { id } = await shop.rollOut({ release, steps, drain_seconds: seconds });
  for (const at of steps.keys()) {
    await shop.until(id, ({ state, step }) => state !== 'checking' && step >= at);
    await killEach(traffic);
  }
  await shop.until(id, ({ state }) => state !== 'running');
  await killEach(traffic);
  const ended = await shop.until(id, ({ ended_at }) => ended_at !== null);
  await traffic.more(50);
  const calls = await traffic.stop();
  expect([ended.state, ended.reason]).toEqual(['promoted', 'Sessions of the old release had 8 s to end.']);
  expect(lastSent(calls, 20).filter(({ release: name }) => name === 'one')).toEqual([]);
  expect((await shop.api.audit({ event: 'rollout.advanced' })).length).toBe(2);
  expect(calls.filter(({ id: call }) => stage.counter.releasesOf(call).length > 1)).toEqual([]);
});

test.each(['background', 'redis', 'gateway'] as const)(
  'a bad canary is taken back although %s is killed during its step',
  async (what) => {
    const shop = await stage.newShop(`bad-${what}`);
    const traffic = await Traffic.start(shop, `bad-${what}`);
    await traffic.more(50);
    const { id } = await shop.rollOut({
      release: await shop.newRelease('bad'),
      steps: [
        { percent: 20, seconds: 60 },
        { percent: 100, seconds: 60 },
      ],
    });
    await shop.until(id, ({ state }) => state === 'running');
    if (what === 'redis') await stage.redis.crash();
    else {
      const killed = what === 'gateway' ? stage.gateways[1] : stage.background;
      await killed.kill();
      await traffic.more(50);
      await killed.start();
    }
    const ended = await shop.until(id, ({ ended_at }) => ended_at !== null);
    await traffic.more(60);
    const calls = await traffic.stop();
    expect(ended.state).toBe('rolled_back');
    expect(lastSent(calls, 30).filter(({ release }) => release !== 'one')).toEqual([]);
  },
);
