import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { withSession } from '../testing/sessions.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane({ runtime: true });
});

afterAll(() => api.stop());

const act = (method: string, path: string, body?: unknown) =>
  api.send(method, `/admin/v1${path}`, { key: api.operatorKey, ...(body === undefined ? {} : { body }) });

test('a runtime tells how it is, is drained knowingly where it is the last, and takes work again', async () => {
  const { body } = await act('GET', '/runtimes');
  expect(body.runtimes).toMatchObject([{ state: 'taking', runtime_id: 'runtime-1', tenants: 0, workers: 0 }]);
  const path = `/runtimes/${body.runtimes[0].mark}`;
  expect((await act('POST', `${path}/drain`, { reason: 'kernel' })).status).toBe(409);
  const drained = await act('POST', `${path}/drain`, { even_if_last: true, reason: 'kernel' });
  expect(drained.body.runtime).toMatchObject({ state: 'drained', drain_ends_at: null });
  expect((await act('GET', '/runtimes')).body.runtimes[0].state).toBe('drained');
  expect((await act('POST', `${path}/resume`, { reason: 'done' })).body.runtime.state).toBe('taking');
  const { body: log } = await act('GET', '/actions?limit=10');
  expect(log.actions.map(({ action }: { action: string }) => action)).toEqual(
    expect.arrayContaining(['runtimes.drain', 'runtimes.resume']),
  );
});

test('a worker that is none of the tenant’s is not ended', async () => {
  const tenant = await api.newTenant();
  const body = { worker: '00000000-0000-4000-8000-000000000000', reason: 'stuck' };
  expect((await act('POST', `/tenants/${tenant.slug}/workers/stop`, body)).status).toBe(422);
});

test('sessions are shown without their ids, each tenant’s its own, and ended on both records', async () => {
  const [tenant, other] = [await api.newTenant(), await api.newTenant()];
  const [ended, kept] = [await withSession(api, tenant), await withSession(api, tenant)];
  await withSession(api, other);
  const path = `/tenants/${tenant.slug}/sessions`;
  const first = await act('GET', `${path}?limit=1`);
  const second = await act('GET', `${path}?limit=1&cursor=${first.body.next_cursor}`);
  const ids = [first, second].flatMap(({ body }) => body.sessions.map(({ id }: { id: string }) => id));
  expect([first.body.total, ids.toSorted(), second.body.next_cursor]).toEqual([2, [ended, kept].toSorted(), null]);
  expect((await act('DELETE', `/tenants/${other.slug}/sessions/${ended}?reason=r`)).status).toBe(404);
  expect((await act('DELETE', `${path}/${ended}?reason=stuck`)).status).toBe(204);
  expect((await act('GET', path)).body.sessions).toMatchObject([{ id: kept, servers: ['shop'] }]);
  const { body } = await api.send('GET', '/v1/audit?event=session.ended', { key: tenant.key });
  expect(body.records).toMatchObject([{ actor: { kind: 'operator' }, details: { session: ended, reason: 'stuck' } }]);
});
