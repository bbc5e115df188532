import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { enqueue, startRolloutJob } from '#libs/jobs';
import { acceptChanges, CONTROLLER, findRollout, resumeRollout, type Rollout } from '#libs/rollouts';
import { createLogger } from '#libs/telemetry';
import { JobRunner } from '../../jobs/job-runner.js';
import { RunProbes } from '../../probes/run-probes.js';
import { ProbeRunner } from '../../probes/probe-runner.js';
import { manifestOf, openWorkplace, type TestServer, type Workplace } from '../../workplace.fixture.js';
import { KeepWarm } from './keep-warm.js';
import { StartRollout } from './start-rollout.js';
import { WatchRollout } from './watch-rollout.js';

/** Each job may run again at any time, also at the same time: the rollout moves once. */
let place: Workplace;
let runner: JobRunner;
const logger = createLogger('background', 'silent');
const announcer = { announce: async (): Promise<void> => undefined };

beforeAll(async () => {
  place = await openWorkplace();
  const { background, client, supplier } = place;
  const probes = new ProbeRunner(background, client, supplier);
  const start = new StartRollout({ database: background, runtime: client, supplier, announcer, probes });
  const watch = new WatchRollout(background, announcer, new KeepWarm(background, client, logger));
  runner = new JobRunner(background, [start, watch, new RunProbes(background, probes)], logger);
});

afterAll(() => place.close());

interface Begun extends TestServer {
  readonly id: string;
  readonly stable: string;
  readonly candidate: string;
}

/** A rollout as the management API leaves it behind. */
async function begin(strategy: string, candidateManifest = manifestOf('one', 'two')): Promise<Begun> {
  const server = await place.newServer();
  const stable = await place.newRelease(server, manifestOf('one'));
  const candidate = await place.newRelease(server, candidateManifest);
  const [id, { tenantId, serverId }] = [newId(), server];
  await place.control.asTenant(tenantId, async (tx) => {
    await tx.query(`update releases set state = case id when $1 then 'live' else 'candidate' end`, [stable]);
    await tx.query(`update servers set live_release_id = $1`, [stable]);
    await tx.query(
      `insert into rollouts (tenant_id, id, server_id, stable_release_id, candidate_release_id, strategy, steps,
         drain_seconds, tools, read_only_tools, state, created_by)
       values ($1, $2, $3, $4, $5, $6, '[{"percent": 100, "seconds": 1}]', 0, '{one}', '{}', 'checking', '{}')`,
      [tenantId, id, serverId, stable, candidate, strategy],
    );
    await enqueue(tx, tenantId, startRolloutJob, { tenantId, rolloutId: id });
  });
  return { ...server, id, stable, candidate };
}

async function openJobs({ tenantId }: Begun): Promise<Array<{ id: string; name: string }>> {
  return place.background.asTenant(tenantId, (tx) =>
    tx.query(`select id, name from outbox where tenant_id = $1 and completed_at is null order by id`, [tenantId]),
  );
}

/** Runs every open job twice at once. */
async function runTwice(begun: Begun): Promise<void> {
  const keys = (await openJobs(begun)).map(({ id }) => ({ tenantId: begun.tenantId, id }));
  await Promise.all(keys.flatMap((key) => [runner.run(key, 'last'), runner.run(key, 'last')]));
}

async function stateOf({ tenantId, id }: Begun): Promise<Rollout> {
  const rollout = await place.background.asTenant(tenantId, (tx) => findRollout(tx, tenantId, id));
  if (rollout === undefined) throw new Error('the rollout is gone');
  return rollout;
}

async function sampled({ tenantId, id }: Begun, releaseId: string, errors: number): Promise<void> {
  const gateway = await place.asGateway();
  await gateway.asTenant(tenantId, (tx) =>
    tx.query(`insert into rollout_samples values ($1, $2, 0, $3, 'one', 100, $4, 0, 0, 0, 0, '{100}')`, [
      tenantId,
      id,
      releaseId,
      errors,
    ]),
  );
}

test('a start that runs twice begins one step and leaves one job behind', async () => {
  const begun = await begin('canary');
  await runTwice(begun);
  expect(await stateOf(begun)).toMatchObject({ state: 'running', step: 0, percent: 100 });
  expect((await openJobs(begun)).map(({ name }) => name)).toEqual(['watch-rollout']);
});

test('a look that runs twice leaves one look behind, and without traffic nothing is promoted', async () => {
  const begun = await begin('canary');
  await runTwice(begun);
  for (let look = 0; look < 3; look += 1) await runTwice(begun);
  expect(await openJobs(begun)).toHaveLength(1);
  expect(await stateOf(begun)).toMatchObject({ state: 'running', verdict: { decision: 'wait' } });
});

test('a bad verdict takes the candidate away once', async () => {
  const begun = await begin('canary');
  await runTwice(begun);
  await sampled(begun, begun.stable, 0);
  await sampled(begun, begun.candidate, 30);
  await runTwice(begun);
  expect(await stateOf(begun)).toMatchObject({ state: 'rolled_back', percent: 0 });
  expect(await openJobs(begun)).toEqual([]);
  const audit: unknown[] = await place.background.asTenant(begun.tenantId, (tx) =>
    tx.query(`select from audit_records where event = 'rollout.rolled_back'`),
  );
  expect(audit).toHaveLength(1);
});

test('a switch that is drained is promoted', async () => {
  const begun = await begin('blue-green');
  await runTwice(begun);
  expect((await stateOf(begun)).state).toBe('draining');
  await runTwice(begun);
  expect((await stateOf(begun)).state).toBe('promoted');
});

test('a candidate that its worker cannot serve is rejected and meets nobody', async () => {
  const begun = await begin('blue-green', '{"version":1,"kind":"http"}');
  await runTwice(begun);
  expect(await stateOf(begun)).toMatchObject({ state: 'rejected', percent: 0 });
});

type ProbeRun = readonly [releaseId: string, passed: boolean, answer?: string];

/** Keeps results of a probe that the server has had since the step began, one run after another; returns the probe's id. */
async function probed(begun: Begun, runs: readonly ProbeRun[]): Promise<string> {
  const { tenantId, serverId, id } = begun;
  const probe = newId();
  await place.control.asTenant(tenantId, (tx) =>
    tx.query(
      `insert into probes (tenant_id, id, server_id, name, tool, arguments, expect, allow_effects)
       values ($1, $2, $3, 'finds books', 'one', '{}', '{}', false)`,
      [tenantId, probe, serverId],
    ),
  );
  await place.background.asTenant(tenantId, (tx) =>
    tx.query(`update rollouts set step_started_at = now() - interval '10 seconds' where id = $1`, [id]),
  );
  await ran(begun, probe, runs);
  return probe;
}

async function ran({ tenantId }: Begun, probe: string, runs: readonly ProbeRun[]): Promise<void> {
  await place.background.asTenant(tenantId, async (tx) => {
    for (const [releaseId, passed, answer = 'alike'] of runs)
      await tx.query(
        `insert into probe_results (tenant_id, id, probe_id, release_id, job_id, cause, passed, reason, latency_ms,
           result_digest, diverged)
         values ($1, $2, $3, $4, $2, 'schedule', $5, case when not $5 then 'no books' end, 1, $6, false)`,
        [tenantId, newId(), probe, releaseId, passed, answer],
      );
  });
}

test('where there is too little traffic, probes that pass bring the candidate on', async () => {
  const begun = await begin('canary');
  await runTwice(begun);
  await probed(begun, [
    [begun.stable, true],
    [begun.candidate, true],
  ]);
  await runTwice(begun);
  expect(await stateOf(begun)).toMatchObject({
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
  const begun = await begin('canary');
  await runTwice(begun);
  const both = (answer: string): ProbeRun[] => [
    [begun.stable, true, 'old'],
    [begun.candidate, true, answer],
  ];
  const probe = await probed(begun, [...both('new'), ...both('new')]);
  await runTwice(begun);
  expect(await stateOf(begun)).toMatchObject({
    state: 'running',
    verdict: { decision: 'wait', reason: expect.stringContaining('finds books') },
  });
  await ran(begun, probe, both('new'));
  await runTwice(begun);
  const paused = await stateOf(begun);
  expect([paused.state, paused.reason]).toEqual(['paused', expect.stringContaining('finds books')]);
  expect(paused.verdicts.at(-1)).toMatchObject({ decision: 'ask', probes: { changed: [probe] } });
  await place.control.asTenant(begun.tenantId, async (tx) => {
    await acceptChanges(tx, paused);
    await resumeRollout(tx, paused, { actor: CONTROLLER, reason: 'It is meant.' });
    await tx.query(`update rollouts set step_started_at = now() - interval '10 seconds' where id = $1`, [begun.id]);
  });
  await runTwice(begun);
  expect((await stateOf(begun)).state).toMatch(/draining|promoted/);
});

test('an answer that the stable release does not repeat itself is no other answer', async () => {
  const begun = await begin('canary');
  await runTwice(begun);
  const runs = ['a', 'b', 'c'].flatMap((at): ProbeRun[] => [
    [begun.stable, true, `stable ${at}`],
    [begun.candidate, true, `candidate ${at}`],
  ]);
  await probed(begun, runs);
  await runTwice(begun);
  expect((await stateOf(begun)).state).toMatch(/draining|promoted/);
});

test('a switch with a probe’s other answer is not promoted by itself', async () => {
  const begun = await begin('blue-green');
  await runTwice(begun);
  const runs = [1, 2, 3].flatMap((): ProbeRun[] => [
    [begun.stable, true, 'old'],
    [begun.candidate, true, 'new'],
  ]);
  await probed(begun, runs);
  await runTwice(begun);
  expect(await stateOf(begun)).toMatchObject({ state: 'draining', verdict: { decision: 'ask' } });
});

test('a probe that passes on the stable release and keeps failing on the candidate takes it away', async () => {
  const begun = await begin('canary');
  await runTwice(begun);
  await probed(begun, [
    [begun.stable, true],
    [begun.candidate, false],
  ]);
  await runTwice(begun);
  expect(await stateOf(begun)).toMatchObject({ state: 'running', verdict: { decision: 'wait' } });
  await place.background.asTenant(begun.tenantId, (tx) =>
    tx.query(
      `insert into probe_results select tenant_id, $2, probe_id, release_id, $2, at, cause, passed, reason, latency_ms,
         result_digest, diverged from probe_results where release_id = $1`,
      [begun.candidate, newId()],
    ),
  );
  await runTwice(begun);
  expect(await stateOf(begun)).toMatchObject({ state: 'rolled_back', reason: expect.stringContaining('no books') });
});

test('probes run on both releases as long as a step lasts', async () => {
  const begun = await begin('canary');
  await runTwice(begun);
  await probed(begun, []);
  for (let look = 0; look < 2; look += 1) await runTwice(begun);
  const ran: unknown[] = await place.background.asTenant(begun.tenantId, (tx) =>
    tx.query(`select release_id from probe_results where tenant_id = $1 group by release_id`, [begun.tenantId]),
  );
  expect(ran).toHaveLength(2);
  expect(await stateOf(begun)).toMatchObject({ state: 'running', verdict: { decision: 'wait' } });
});

test('a step that was good waits while the server’s releases are frozen', async () => {
  const begun = await begin('canary');
  await runTwice(begun);
  await probed(begun, [
    [begun.stable, true],
    [begun.candidate, true],
  ]);
  const schedule = (freeze: unknown) =>
    place.control.asTenant(begun.tenantId, (tx) =>
      tx.query(`update servers set release_schedule = $1`, [JSON.stringify({ windows: [], freeze })]),
    );
  await schedule({ reason: 'Holidays.', until: null });
  await runTwice(begun);
  expect(await stateOf(begun)).toMatchObject({
    state: 'running',
    verdict: { decision: 'good', hold: 'The server’s releases are frozen: Holidays.' },
  });
  await schedule(null);
  await runTwice(begun);
  expect((await stateOf(begun)).state).toMatch(/draining|promoted/);
});
