import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { JobRunner, type RunResult } from '../jobs/job-runner.js';
import { manifestOf, openWorkplace, type TestServer, type Workplace } from '../workplace.fixture.js';
import { ProbeRunner } from '../probes/probe-runner.js';
import { PublishRelease } from './publish-release.js';
import { refuseDifference } from './verification/probe-lists.js';

/** Told of every tenant whose route has changed. */
const announced: string[] = [];
const announcer = { announce: async (tenantId: string): Promise<void> => void announced.push(tenantId) };

let place: Workplace;
let runner: JobRunner;

beforeAll(async () => {
  place = await openWorkplace();
  runner = runnerWith(place.client);
});

afterAll(() => place.close());

function publisherWith(runtime: Workplace['client']): PublishRelease {
  const { background: database, supplier } = place;
  const probes = new ProbeRunner(database, runtime, supplier);
  return new PublishRelease({ database, runtime, supplier, announcer, probes });
}

function runnerWith(client: Workplace['client']): JobRunner {
  const handler = publisherWith(client);
  return new JobRunner(place.background, [handler], createLogger('background', 'silent'));
}

async function publish(server: TestServer, releaseId: string): Promise<RunResult> {
  return runner.run({ tenantId: server.tenantId, id: await place.request(server, releaseId) }, 'more-left');
}

/** What the tenant sees of a server: its pointers, its releases' states by id, and its audit. */
async function stateOf({ tenantId, serverId }: TestServer) {
  return place.background.asTenant(tenantId, async (tx) => {
    const servers: Array<{ live: string | null; previous: string | null }> = await tx.query(
      `select live_release_id as live, previous_release_id as previous from servers where id = $1`,
      [serverId],
    );
    const releases: Array<{ id: string; state: string; rejection: unknown }> = await tx.query(
      `select id, state, rejection from releases`,
    );
    const audit: Array<{ event: string; actor: unknown; target: string }> = await tx.query(
      `select event, actor, target from audit_records order by id`,
    );
    const open: unknown[] = await tx.query(`select from outbox where completed_at is null`);
    return {
      ...servers[0],
      states: Object.fromEntries(releases.map((release) => [release.id, release.state])),
      rejections: releases.flatMap((release) => (release.rejection === null ? [] : [release.rejection])),
      audit,
      openJobs: open.length,
    };
  });
}

test('a release goes live once its own worker has listed its tools, in the name of who asked', async () => {
  const server = await place.newServer();
  const release = await place.newRelease(server, manifestOf('search', 'buy'));
  expect(await publish(server, release)).toEqual({ outcome: 'done' });
  expect(announced).toContain(server.tenantId);
  expect(await stateOf(server)).toEqual({
    live: release,
    previous: null,
    states: { [release]: 'live' },
    rejections: [],
    audit: [{ event: 'release.published', actor: { kind: 'api-key', id: 'key-1' }, target: `release:${release}` }],
    openJobs: 0,
  });
});

test('the release that was live is remembered and superseded', async () => {
  const server = await place.newServer();
  const [first, second] = [
    await place.newRelease(server, manifestOf('one')),
    await place.newRelease(server, manifestOf('one', 'two')),
  ];
  await publish(server, first);
  await publish(server, second);
  expect(await stateOf(server)).toMatchObject({
    live: second,
    previous: first,
    states: { [first]: 'superseded', [second]: 'live' },
  });
});

test('a run that is repeated after it did everything changes nothing', async () => {
  const server = await place.newServer();
  const release = await place.newRelease(server, manifestOf('one'));
  const handler = publisherWith(place.client);
  const jobId = await place.request(server, release);
  const run = { jobId, requestedAt: new Date(), signal: AbortSignal.timeout(30_000) };
  const payload = {
    ...server,
    releaseId: release,
    acknowledgeBreaking: true,
    requestedBy: { kind: 'api-key', id: 'key-1' },
  };
  await Promise.all([handler.run(payload, run), handler.run(payload, run)]);
  await handler.run(payload, run);
  const state = await stateOf(server);
  expect(state.audit).toHaveLength(1);
  expect(state).toMatchObject({ live: release, previous: null, states: { [release]: 'live' } });
});

test('of two requests at once the later one wins, whichever is carried out first', async () => {
  for (const order of ['together', 'later first'] as const) {
    const server = await place.newServer();
    const [earlier, later] = [
      await place.newRelease(server, manifestOf('one')),
      await place.newRelease(server, manifestOf('two')),
    ];
    const jobs = [await place.request(server, earlier), await place.request(server, later)];
    const keys = jobs.map((id) => ({ tenantId: server.tenantId, id }));
    if (order === 'together') await Promise.all(keys.map((key) => runner.run(key, 'more-left')));
    else for (const key of keys.toReversed()) await runner.run(key, 'more-left');
    expect(await stateOf(server)).toMatchObject({
      live: later,
      states: { [earlier]: 'superseded', [later]: 'live' },
      openJobs: 0,
    });
  }
});

test('an earlier release that is requested again goes live again', async () => {
  const server = await place.newServer();
  const [first, second] = [
    await place.newRelease(server, manifestOf('one')),
    await place.newRelease(server, manifestOf('two')),
  ];
  for (const release of [first, second, first]) await publish(server, release);
  expect(await stateOf(server)).toMatchObject({
    live: first,
    previous: second,
    states: { [first]: 'live', [second]: 'superseded' },
  });
});

test('a worker that cannot be reached is tried again, and the release is rejected after the last try', async () => {
  const server = await place.newServer();
  const release = await place.newRelease(server, manifestOf('one'));
  const lost = await place.connect('/nonexistent/runtime.sock');
  const key = { tenantId: server.tenantId, id: await place.request(server, release) };
  const unlucky = runnerWith(lost);
  expect(await unlucky.run(key, 'more-left')).toMatchObject({ outcome: 'retry' });
  expect(await stateOf(server)).toMatchObject({ live: null, states: { [release]: 'publishing' }, openJobs: 1 });
  expect(await unlucky.run(key, 'last')).toMatchObject({ outcome: 'given-up' });
  expect(await stateOf(server)).toMatchObject({
    live: null,
    states: { [release]: 'rejected' },
    rejections: [{ reason: 'This is unavailable for the moment. Try again shortly.' }],
    audit: [{ event: 'release.rejected' }],
    openJobs: 0,
  });
  await lost.close();
});

test('a release that its worker cannot serve is rejected, and the live one stays', async () => {
  const server = await place.newServer();
  const good = await place.newRelease(server, manifestOf('one'));
  await publish(server, good);
  const bad = await place.newRelease(server, '{"version":1,"kind":"http"}');
  const key = { tenantId: server.tenantId, id: await place.request(server, bad) };
  expect(await runner.run(key, 'last')).toMatchObject({ outcome: 'given-up' });
  expect(await stateOf(server)).toMatchObject({
    live: good,
    previous: null,
    states: { [good]: 'live', [bad]: 'rejected' },
  });
});

test('nothing goes live for a tenant that is suspended', async () => {
  const server = await place.newServer();
  const release = await place.newRelease(server, manifestOf('one'));
  await place.suspend(server.tenantId);
  expect(await publish(server, release)).toMatchObject({ outcome: 'given-up' });
  expect(await stateOf(server)).toMatchObject({ live: null, states: { [release]: 'rejected' } });
});

test('a request for a release that was deleted meanwhile is done', async () => {
  const server = await place.newServer();
  expect(await publish(server, newId())).toEqual({ outcome: 'done' });
});

test('a difference between manifest and worker is named', () => {
  expect(() => refuseDifference(['a', 'b'], ['b', 'a'])).not.toThrow();
  expect(() => refuseDifference(['a', 'b'], ['a', 'c'])).toThrow(
    'The release lists 2 tools instead of 2. Missing: b. Unexpected: c.',
  );
  expect(() => refuseDifference(['a'], ['a', 'a'])).toThrow('The release lists 2 tools instead of 1.');
});

test('a request that was withdrawn by a rollback changes nothing and is done', async () => {
  const server = await place.newServer();
  const [first, second] = [
    await place.newRelease(server, manifestOf('one')),
    await place.newRelease(server, manifestOf('two')),
  ];
  await publish(server, first);
  const key = { tenantId: server.tenantId, id: await place.request(server, second) };
  await place.background.asTenant(server.tenantId, (tx) =>
    tx.query(`update releases set state = 'ready' where id = $1`, [second]),
  );
  expect(await runner.run(key, 'more-left')).toEqual({ outcome: 'done' });
  expect(await stateOf(server)).toMatchObject({
    live: first,
    states: { [first]: 'live', [second]: 'ready' },
    openJobs: 0,
  });
});
