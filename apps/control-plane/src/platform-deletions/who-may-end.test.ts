import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { newSession } from '../testing/operators.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});

afterAll(() => api?.stop());

const act = (key: string, method: string, path: string, body?: object) =>
  api.send(method, `/admin/v1/tenants/${path}`, { key, ...(body === undefined ? {} : { body }) });

/** A session of a role, and a key that it has made. */
async function credentials(role: string): Promise<{ readonly session: string; readonly key: string }> {
  const { token: session } = await newSession(api, role);
  const made = await api.send('POST', '/admin/v1/me/keys', { key: session, body: { name: 'k', reason: 'r' } });
  return { session, key: made.body.text };
}

test('who runs things restores tenants and says where they are; who administers ends them and holds them', async () => {
  const { session, key } = await credentials('operator');
  const { slug } = await api.newTenant();
  const deletion = { confirm: slug, reason: 'abuse' };
  for (const credential of [session, key]) {
    const refused = [
      await act(credential, 'POST', `${slug}/deletion`, deletion),
      await act(credential, 'POST', `${slug}/legal-holds`, { reason: 'a case' }),
      await act(credential, 'GET', `${slug}/legal-holds`),
      await act(credential, 'DELETE', `${slug}/legal-holds/${newId()}?reason=over`),
    ];
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  }
  expect((await act(api.operatorKey, 'POST', `${slug}/deletion`, deletion)).status).toBe(202);
  expect((await act(session, 'POST', `${slug}/restore`, { reason: 'an error' })).status).toBe(200);
  expect((await act(session, 'PUT', `${slug}/home-region`, { region: null, reason: 'r' })).status).toBe(204);
});

test('a key leaves the time of the plan to restore a tenant, who has signed in decides', async () => {
  const { session, key } = await credentials('admin');
  const { slug } = await api.newTenant();
  const ask = (credential: string, days?: number) =>
    act(credential, 'POST', `${slug}/deletion`, { confirm: slug, reason: 'abuse', grace_days: days });
  const refused = await ask(key, 6);
  expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('days of its plan (7)')]);
  expect((await ask(key)).status).toBe(202);
  await act(session, 'POST', `${slug}/restore`, { reason: 'r' });
  const limits = { calls_per_minute: 5, concurrent_calls: 2, servers_max: 1, worker_memory_mb: 128 };
  const plan = { ...limits, deletion_grace_days: 0, reason: 'r' };
  await api.send('PUT', '/admin/v1/plans/at-once', { key: session, body: plan });
  await act(session, 'PUT', `${slug}/plan`, { plan: 'at-once', reason: 'r' });
  expect([(await ask(key)).status, (await ask(key, 0)).status, (await ask(key, 1)).status]).toEqual([403, 403, 202]);
  await act(session, 'POST', `${slug}/restore`, { reason: 'r' });
  expect((await ask(session, 0)).status).toBe(202);
});

test('a legal hold is lifted by who has signed in, and by no key', async () => {
  const { session, key } = await credentials('admin');
  const { slug } = await api.newTenant();
  const hold = (await act(key, 'POST', `${slug}/legal-holds`, { reason: 'a case' })).body;
  const refused = await act(key, 'DELETE', `${slug}/legal-holds/${hold.id}?reason=over`);
  expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('sign-in first')]);
  expect((await act(session, 'GET', slug)).body.tenant.legal_hold).toBe(true);
  expect((await act(session, 'DELETE', `${slug}/legal-holds/${hold.id}?reason=over`)).status).toBe(204);
});
