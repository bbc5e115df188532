import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { givenUpJob } from '../testing/given-up-jobs.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});

afterAll(() => api.stop());

const act = (method: string, path: string, body?: unknown) =>
  api.send(method, `/admin/v1${path}`, { key: api.operatorKey, ...(body === undefined ? {} : { body }) });

async function queueOf(name: string) {
  const { body } = await act('GET', '/queues');
  return body.queues.find(({ queue }: { queue: string }) => queue === name);
}

test('a job that was given up is shown by its ids alone, and runs again once as a new one', async () => {
  const tenant = await api.newTenant();
  const id = await givenUpJob(api, tenant);
  const listed = await act('GET', `/jobs?tenant_id=${tenant.id}`);
  expect(listed.body.jobs).toMatchObject([{ id, name: 'evict-tenant', about: { tenantId: tenant.id } }]);
  expect(listed.text).not.toContain('SECRET-CANARY');
  expect((await queueOf('tenants')).given_up).toBe(1);
  const [first, second] = await Promise.all([1, 2].map(() => act('POST', `/jobs/${id}/retry`, { reason: 'fixed' })));
  expect([first?.status, second?.status].toSorted()).toEqual([202, 404]);
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const { rows } = await owner.query(
    `select id from outbox where tenant_id = $1 and completed_at is null and dispatched_at is null`,
    [tenant.id],
  );
  await owner.end();
  expect(rows).toEqual([{ id: (first?.status === 202 ? first : second)?.body.job_id }]);
  expect(await queueOf('tenants')).toMatchObject({ given_up: 0, open: 1 });
});

test('all of a queue, or of a tenant in it, run again', async () => {
  const [tenant, other] = [await api.newTenant(), await api.newTenant()];
  for (const owner of [tenant, tenant, other]) await givenUpJob(api, owner);
  const retry = (tenantId: string) =>
    act('POST', '/jobs/retry', { queue: 'tenants', tenant_id: tenantId, reason: 'fixed' });
  expect((await retry(tenant.id)).body).toEqual({ retried: 2, more: false });
  expect((await retry(tenant.id)).body).toEqual({ retried: 0, more: false });
  expect((await act('GET', `/jobs?tenant_id=${other.id}`)).body.jobs).toHaveLength(1);
  const { body } = await act('GET', '/actions?action=jobs.retry&limit=4');
  const came = body.actions.map(({ details }: { details: { outcome: string; retried?: number } }) => [
    details.outcome,
    details.retried,
  ]);
  expect(came).toEqual([
    ['unchanged', 0],
    ['asked', undefined],
    ['done', 2],
    ['asked', undefined],
  ]);
});

test('a queue is paused and runs again', async () => {
  expect(await queueOf('drift')).toMatchObject({ paused: false, waiting: 0, active: 0 });
  await act('POST', '/queues/drift/pause', { reason: 'upstreams are tired' });
  expect((await queueOf('drift')).paused).toBe(true);
  await act('POST', '/queues/drift/resume', { reason: 'rested' });
  expect((await queueOf('drift')).paused).toBe(false);
  await act('POST', '/queues/drift/resume', { reason: 'once more' });
  const { body } = await act('GET', '/actions?action=queues.resume');
  expect(body.actions.map(({ details }: { details: { outcome: string } }) => details.outcome)).toEqual([
    'unchanged',
    'asked',
    'done',
    'asked',
  ]);
  expect((await act('POST', '/queues/nonsense/pause', { reason: 'r' })).status).toBe(404);
});
