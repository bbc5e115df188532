import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { claimJobs, enqueue, evictTenantJob } from '#libs/jobs';
import { createLogger } from '#libs/telemetry';
import { JobRefused } from '../jobs/job-handler.js';
import { OutboxRelay } from './relay.js';
import { openWorkbench, type Workbench } from './workbench.fixture.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await openWorkbench();
});

afterAll(() => bench.close());

/** Lets one process work until so many jobs have ended; returns the ids in the order of their runs. */
async function workOff(jobs: number, seen: string[] = []): Promise<string[]> {
  const { runner } = bench.process(async (run) => void seen.push(run.jobId));
  const { worker, ended } = bench.work(runner, jobs);
  await ended;
  await worker.close();
  return seen;
}

async function enqueueMany(count: number): Promise<{ tenantId: string; ids: string[] }> {
  const tenantId = await bench.newTenant();
  const ids = await Promise.all(Array.from({ length: count }, () => bench.enqueue(tenantId)));
  return { tenantId, ids: ids.toSorted() };
}

test('every committed job runs exactly once, however many relays there are', async () => {
  const { tenantId, ids } = await enqueueMany(30);
  const relays = Array.from({ length: 3 }, () => bench.process(async () => {}).relay);
  const dispatched = await Promise.all(relays.map((relay) => relay.relay()));
  expect(dispatched.reduce((sum, count) => sum + count, 0)).toBe(30);
  expect((await workOff(30)).toSorted()).toEqual(ids);
  expect((await bench.rows(tenantId)).every((row) => row.closed && row.failure === null)).toBe(true);
});

test('a job of a transaction that was rolled back never reaches a queue', async () => {
  const tenantId = await bench.newTenant();
  const work = bench.control.asTenant(tenantId, async (tx) => {
    await enqueue(tx, tenantId, evictTenantJob, { tenantId });
    throw new Error('second thoughts');
  });
  await expect(work).rejects.toThrow('second thoughts');
  expect(await bench.process(async () => {}).relay.relay()).toBe(0);
});

test('a job that its relay claimed before it died is run all the same', async () => {
  const { tenantId, ids } = await enqueueMany(3);
  await bench.background.asService((tx) => claimJobs(tx, 100));
  const { relay } = bench.process(async () => {});
  expect(await relay.relay()).toBe(0);
  expect(await relay.recover()).toBe(3);
  expect((await workOff(3)).toSorted()).toEqual(ids);
  expect((await bench.rows(tenantId)).every((row) => row.closed)).toBe(true);
});

test('jobs that Redis has lost are run all the same, once', async () => {
  const { ids } = await enqueueMany(5);
  const { relay } = bench.process(async () => {});
  await relay.relay();
  await bench.flushRedis();
  expect(await relay.recover()).toBe(5);
  expect(await relay.recover()).toBe(0);
  expect((await workOff(5)).toSorted()).toEqual(ids);
});

test('a queue that knows a closed job again does not run it again', async () => {
  const { tenantId, ids } = await enqueueMany(1);
  const { relay } = bench.process(async () => {});
  await relay.relay();
  const seen = await workOff(1);
  await bench.queues.tenants.add('evict-tenant', { tenantId }, { jobId: ids[0] ?? '', removeOnComplete: true });
  await workOff(1, seen);
  expect(seen).toEqual(ids);
});

test('a queue that cannot be reached leaves the jobs waiting for the next relay', async () => {
  const { tenantId, ids } = await enqueueMany(2);
  const lost = new Queue('tenants', {
    connection: {
      host: '127.0.0.1',
      port: 1,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    },
  });
  lost.on('error', () => {});
  const { runner, relay } = bench.process(async () => {});
  const cutOff = new OutboxRelay(
    bench.background,
    { releases: lost, tenants: lost, webhooks: lost, probes: lost, drift: lost },
    runner,
    createLogger('background', 'silent'),
  );
  await expect(cutOff.relay()).rejects.toThrow();
  expect((await bench.rows(tenantId)).map((row) => row.dispatched)).toEqual([false, false]);
  expect(await relay.relay()).toBe(2);
  expect((await workOff(2)).toSorted()).toEqual(ids);
  await lost.disconnect().catch(() => {});
});

test('a job that can never succeed is closed with its reason and not tried again', async () => {
  const { tenantId } = await enqueueMany(1);
  const reasons: string[] = [];
  const { runner, relay } = bench.process(
    async () => {
      throw new JobRefused('The document names no server.');
    },
    (reason) => reasons.push(reason),
  );
  await relay.relay();
  const { worker, ended } = bench.work(runner, 1);
  await ended;
  await worker.close();
  expect(reasons).toEqual(['The document names no server.']);
  expect(await bench.rows(tenantId)).toMatchObject([{ closed: true, failure: 'The document names no server.' }]);
  expect(await relay.recover()).toBe(0);
});

test('a run that our own stop cuts off stays open and runs in the next process', async () => {
  const { tenantId, ids } = await enqueueMany(1);
  const entered = Promise.withResolvers<void>();
  const first = bench.process(async ({ signal }) => {
    entered.resolve();
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  });
  await first.relay.relay();
  const { worker } = bench.work(first.runner, 1);
  await entered.promise;
  first.runner.stop();
  await worker.close();
  expect(await bench.rows(tenantId)).toMatchObject([{ closed: false }]);
  expect(await workOff(1)).toEqual(ids);
});

test('a last run that fails is given up with the public sentence, never with the error’s own text', async () => {
  const { tenantId, ids } = await enqueueMany(1);
  const { runner } = bench.process(async () => {
    throw new Error('password of the upstream is hunter2');
  });
  const key = { tenantId, id: ids[0] ?? '' };
  expect(await runner.run(key, 'more-left')).toMatchObject({ outcome: 'retry' });
  expect(await runner.run(key, 'last')).toMatchObject({ outcome: 'given-up' });
  expect(await bench.rows(tenantId)).toMatchObject([{ closed: true, failure: 'Something went wrong on our side.' }]);
  expect(await runner.run(key, 'last')).toEqual({ outcome: 'already-closed' });
});

test('a region’s jobs are claimed, recovered and run by its own services alone, on one database and one Redis', async () => {
  const tenantId = await bench.newTenant('eu');
  const id = await bench.enqueue(tenantId);
  const ran: string[] = [];
  const [eu, us] = ['eu', 'us'].map((region) => bench.process(async () => void ran.push(region), undefined, region));
  if (eu === undefined || us === undefined) throw new Error('no processes');
  expect(await us.relay.relay()).toBe(0);
  expect(await eu.relay.relay()).toBe(1);
  expect(await us.relay.recover()).toBe(0);
  // Whatever brought it there: another region does not run it, and gives it back.
  expect(await us.runner.run({ tenantId, id }, 'last')).toEqual({ outcome: 'elsewhere' });
  expect(await bench.rows(tenantId)).toMatchObject([{ dispatched: false, closed: false }]);
  await eu.relay.relay();
  const { worker, ended } = bench.work(eu.runner, 1, 'eu');
  await ended;
  await worker.close();
  expect([ran, await bench.rows(tenantId)]).toMatchObject([['eu'], [{ closed: true }]]);
});

test('a tenant that moves takes along its jobs that wait in its old region’s queue', async () => {
  const tenantId = await bench.newTenant('eu');
  await bench.enqueue(tenantId);
  const ran: string[] = [];
  await bench.process(async () => {}, undefined, 'eu').relay.relay();
  await bench.move(tenantId, 'us');
  const us = bench.process(async () => void ran.push('us'), undefined, 'us');
  expect(await us.relay.recover()).toBe(1);
  const { worker, ended } = bench.work(us.runner, 1, 'us');
  await ended;
  await worker.close();
  expect(ran).toEqual(['us']);
});

test('the jobs of tenants without a home are recovered by whoever took them', async () => {
  const tenantId = await bench.newTenant();
  await bench.enqueue(tenantId);
  const [eu, us] = ['eu', 'us'].map((region) => bench.process(async () => {}, undefined, region));
  expect(await eu?.relay.relay()).toBe(1);
  await bench.flushRedis();
  expect(await us?.relay.recover()).toBe(0);
  expect(await eu?.relay.recover()).toBe(1);
});
