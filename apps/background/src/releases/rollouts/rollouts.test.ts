import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { acceptChanges, CONTROLLER, resumeRollout } from '#libs/rollouts';
import { RolloutsUnderTest, type ProbeRun } from './rollouts.fixture.js';

/** Each job may run again at any time, also at the same time: the rollout moves once. */
let under: RolloutsUnderTest;

beforeAll(async () => {
  under = await RolloutsUnderTest.open();
});

afterAll(() => under.place.close());

test('a start that runs twice begins one step and leaves one job behind', async () => {
  const begun = await under.begin('canary');
  await under.runTwice(begun);
  expect(await under.stateOf(begun)).toMatchObject({ state: 'running', step: 0, percent: 100 });
  expect((await under.openJobs(begun)).map(({ name }) => name)).toEqual(['watch-rollout']);
});

test('a look that runs twice leaves one look behind, and without traffic nothing is promoted', async () => {
  const begun = await under.begin('canary');
  await under.runTwice(begun);
  for (let look = 0; look < 3; look += 1) await under.runTwice(begun);
  expect(await under.openJobs(begun)).toHaveLength(1);
  expect(await under.stateOf(begun)).toMatchObject({ state: 'running', verdict: { decision: 'wait' } });
});

test('a background of the release before can take neither a start nor a look, and leaves both to one of this', async () => {
  const begun = await under.begin('canary');
  let taken = 0;
  const did = (): void => void (taken += 1);
  expect(await under.runByLastRelease(begun, did)).toEqual(['retry']);
  expect((await under.stateOf(begun)).state).toBe('checking');
  await under.runTwice(begun);
  expect(await under.runByLastRelease(begun, did)).toEqual(['retry']);
  expect((await under.openJobs(begun)).map(({ name }) => name)).toEqual(['watch-rollout']);
  expect([(await under.stateOf(begun)).state, taken]).toEqual(['running', 0]);
});

test('a look that the release before left behind is taken, and followed by one that it cannot take', async () => {
  const begun = await under.begin('canary');
  await under.asLastReleaseWrote(begun);
  await under.runTwice(begun);
  await under.asLastReleaseWrote(begun);
  await under.runTwice(begun);
  expect(await under.runByLastRelease(begun, () => undefined)).toEqual(['retry']);
  expect((await under.stateOf(begun)).verdict).toMatchObject({ decision: 'wait' });
});

test('a bad verdict takes the candidate away once', async () => {
  const begun = await under.begin('canary');
  await under.runTwice(begun);
  await under.sampled(begun, begun.stable, 0);
  await under.sampled(begun, begun.candidate, 30);
  await under.runTwice(begun);
  expect(await under.stateOf(begun)).toMatchObject({ state: 'rolled_back', percent: 0 });
  expect(await under.openJobs(begun)).toEqual([]);
  const audit: unknown[] = await under.place.background.asTenant(begun.tenantId, (tx) =>
    tx.query(`select from audit_records where event = 'rollout.rolled_back'`),
  );
  expect(audit).toHaveLength(1);
});

test('a switch that is drained is promoted', async () => {
  const begun = await under.begin('blue-green');
  await under.runTwice(begun);
  expect((await under.stateOf(begun)).state).toBe('draining');
  await under.runTwice(begun);
  expect((await under.stateOf(begun)).state).toBe('promoted');
});

test('a candidate that its worker cannot serve is rejected and meets nobody', async () => {
  const begun = await under.begin('blue-green', '{"version":1,"kind":"http"}');
  await under.runTwice(begun);
  expect(await under.stateOf(begun)).toMatchObject({ state: 'rejected', percent: 0 });
});

test('where there is too little traffic, probes that pass bring the candidate on', async () => {
  const begun = await under.begin('canary');
  await under.runTwice(begun);
  await under.probed(begun, [
    [begun.stable, true],
    [begun.candidate, true],
  ]);
  await under.runTwice(begun);
  expect(await under.stateOf(begun)).toMatchObject({
    state: expect.stringMatching(/draining|promoted/),
    verdicts: expect.arrayContaining([
      expect.objectContaining({
        decision: 'good',
        probes: { passed: 1, of: 1, different: [], changed: [] },
      }),
    ]),
  });
});

test('a probe with another answer waits until that is sure, then pauses and asks, and goes on once it is accepted', async () => {
  const begun = await under.begin('canary');
  await under.runTwice(begun);
  const both = (answer: string): ProbeRun[] => [
    [begun.stable, true, 'old'],
    [begun.candidate, true, answer],
  ];
  const probe = await under.probed(begun, [...both('new'), ...both('new')]);
  await under.runTwice(begun);
  expect(await under.stateOf(begun)).toMatchObject({
    state: 'running',
    verdict: { decision: 'wait', reason: expect.stringContaining('finds books') },
  });
  await under.ran(begun, probe, both('new'));
  await under.runTwice(begun);
  const paused = await under.stateOf(begun);
  expect([paused.state, paused.reason]).toEqual(['paused', expect.stringContaining('finds books')]);
  expect(paused.verdicts.at(-1)).toMatchObject({ decision: 'ask', probes: { changed: [probe] } });
  await under.place.control.asTenant(begun.tenantId, async (tx) => {
    await acceptChanges(tx, paused);
    await resumeRollout(tx, paused, { actor: CONTROLLER, reason: 'It is meant.' });
    await tx.query(`update rollouts set step_started_at = now() - interval '10 seconds' where id = $1`, [begun.id]);
  });
  await under.runTwice(begun);
  expect((await under.stateOf(begun)).state).toMatch(/draining|promoted/);
});

test('an answer that the stable release does not repeat itself is no other answer', async () => {
  const begun = await under.begin('canary');
  await under.runTwice(begun);
  const runs = ['a', 'b', 'c'].flatMap((at): ProbeRun[] => [
    [begun.stable, true, `stable ${at}`],
    [begun.candidate, true, `candidate ${at}`],
  ]);
  await under.probed(begun, runs);
  await under.runTwice(begun);
  expect((await under.stateOf(begun)).state).toMatch(/draining|promoted/);
});

test('a run of the stable release that fails is no other answer of it', async () => {
  const begun = await under.begin('canary');
  await under.runTwice(begun);
  const both: ProbeRun[] = [
    [begun.stable, true, 'old'],
    [begun.candidate, true, 'new'],
  ];
  const probe = await under.probed(begun, [...both, [begun.stable, false, 'busy'], ...both]);
  await under.look(begun);
  expect(await under.stateOf(begun)).toMatchObject({ state: 'running', verdict: { decision: 'wait' } });
  await under.ran(begun, probe, both);
  await under.look(begun);
  expect(await under.stateOf(begun)).toMatchObject({ state: 'paused', verdict: { probes: { changed: [probe] } } });
});

test('a switch with a probe’s other answer is not promoted by itself', async () => {
  const begun = await under.begin('blue-green');
  await under.runTwice(begun);
  const runs = [1, 2, 3].flatMap((): ProbeRun[] => [
    [begun.stable, true, 'old'],
    [begun.candidate, true, 'new'],
  ]);
  await under.probed(begun, runs);
  await under.runTwice(begun);
  for (let look = 0; look < 3; look += 1) await under.runTwice(begun);
  const asked = { decision: 'ask', reason: expect.stringMatching(/finds books\. Promote the rollout if/) };
  expect(await under.stateOf(begun)).toMatchObject({
    state: 'draining',
    reason: asked.reason,
    verdict: { ...asked, held: true },
  });
  expect(await under.told(begun, 'rollout.held')).toMatchObject([
    { outcome: 'draining', details: { reason: asked.reason, percent: 100, verdict: asked } },
  ]);
});

test('a probe that passes on the stable release and keeps failing on the candidate takes it away', async () => {
  const begun = await under.begin('canary');
  await under.runTwice(begun);
  await under.probed(begun, [
    [begun.stable, true],
    [begun.candidate, false],
  ]);
  await under.runTwice(begun);
  expect(await under.stateOf(begun)).toMatchObject({ state: 'running', verdict: { decision: 'wait' } });
  await under.place.background.asTenant(begun.tenantId, (tx) =>
    tx.query(
      `insert into probe_results select tenant_id, $2, probe_id, release_id, $2, at, cause, passed, reason, latency_ms,
         result_digest, diverged from probe_results where release_id = $1`,
      [begun.candidate, newId()],
    ),
  );
  await under.runTwice(begun);
  expect(await under.stateOf(begun)).toMatchObject({
    state: 'rolled_back',
    reason: expect.stringContaining('no books'),
  });
});

test('probes run on both releases as long as a step lasts', async () => {
  const begun = await under.begin('canary');
  await under.runTwice(begun);
  await under.probed(begun, []);
  for (let look = 0; look < 2; look += 1) await under.runTwice(begun);
  const ran: unknown[] = await under.place.background.asTenant(begun.tenantId, (tx) =>
    tx.query(`select release_id from probe_results where tenant_id = $1 group by release_id`, [begun.tenantId]),
  );
  expect(ran).toHaveLength(2);
  expect(await under.stateOf(begun)).toMatchObject({ state: 'running', verdict: { decision: 'wait' } });
});

test('a step that was good waits while the server’s releases are frozen', async () => {
  const begun = await under.begin('canary');
  await under.runTwice(begun);
  await under.probed(begun, [
    [begun.stable, true],
    [begun.candidate, true],
  ]);
  const schedule = (freeze: unknown) =>
    under.place.control.asTenant(begun.tenantId, (tx) =>
      tx.query(`update servers set release_schedule = $1`, [JSON.stringify({ windows: [], freeze })]),
    );
  await schedule({ reason: 'Holidays.', until: null });
  await under.runTwice(begun);
  expect(await under.stateOf(begun)).toMatchObject({
    state: 'running',
    verdict: { decision: 'good', hold: 'The server’s releases are frozen: Holidays.' },
  });
  await schedule(null);
  await under.runTwice(begun);
  expect((await under.stateOf(begun)).state).toMatch(/draining|promoted/);
});
