import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RolloutsUnderTest, type Begun } from './rollouts.fixture.js';

/** A switch whose drain lasts no time at all: what keeps it is what is not known of the candidate. */
let under: RolloutsUnderTest;

beforeAll(async () => {
  under = await RolloutsUnderTest.open();
});

afterAll(() => under.place.close());

async function switched(): Promise<Begun> {
  const begun = await under.begin('blue-green');
  await under.runTwice(begun);
  return begun;
}

test('a drain waits until every probe has run on both releases, and asks when they never do', async () => {
  const begun = await switched();
  const probe = await under.probed(begun, []);
  await under.runTwice(begun);
  expect(await under.stateOf(begun)).toMatchObject({
    state: 'draining',
    verdict: { decision: 'wait', awaits: 'probes', reason: expect.stringContaining('finds books') },
  });
  await under.passed(begun, 400);
  await under.look(begun);
  await under.look(begun);
  expect(await under.told(begun, 'rollout.held')).toMatchObject([{ outcome: 'draining' }]);
  await under.ran(begun, probe, [
    [begun.stable, true],
    [begun.candidate, true],
  ]);
  await under.look(begun);
  expect((await under.stateOf(begun)).state).toBe('promoted');
});

test('a drain waits while a few calls look worse than the old release’s', async () => {
  const begun = await switched();
  await under.sampled(begun, begun.stable, 0);
  await under.sampled(begun, begun.candidate, 6);
  await under.look(begun);
  expect(await under.stateOf(begun)).toMatchObject({ state: 'draining', verdict: { awaits: 'certainty' } });
  await under.passed(begun, 400);
  await under.look(begun);
  expect(await under.told(begun, 'rollout.held')).toHaveLength(1);
});
