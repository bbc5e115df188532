import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FLAG_NAMES, resolveFlags } from '#libs/flags';
import {
  startControlPlane,
  type Answer,
  type ControlPlane,
  type TestTenant,
} from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let other: TestTenant;
const reason = 'an incident';

beforeAll(async () => {
  api = await startControlPlane();
  [tenant, other] = await Promise.all([api.newTenant(), api.newTenant()]);
});

afterAll(() => api.stop());

const choose = (flag: string, state: string, key = tenant.key): Promise<Answer> =>
  api.send('PATCH', '/v1/feature-flags', { key, body: { flag, state } });
const set = (flag: string, percent: number): Promise<Answer> =>
  api.send('PATCH', '/admin/v1/feature-flags', { key: api.operatorKey, body: { flag, percent, reason } });
const decide = (flag: string, state: string): Promise<Answer> =>
  api.send('PATCH', `/admin/v1/tenants/${tenant.slug}/feature-flags`, {
    key: api.operatorKey,
    body: { flag, state, reason },
  });
async function isOnFor(flag: string, { key }: TestTenant): Promise<boolean> {
  const { body } = await api.send('GET', '/v1/feature-flags', { key });
  return body.flags.find((shown: { flag: string }) => shown.flag === flag).enabled;
}

test('an operator’s word for a tenant comes first, then the platform’s off, then the tenant’s own choice', async () => {
  expect((await choose('result_cache', 'off')).body).toMatchObject({ enabled: false, chosen: 'off' });
  expect([await isOnFor('result_cache', tenant), await isOnFor('result_cache', other)]).toEqual([false, true]);
  expect((await decide('result_cache', 'on')).body).toMatchObject({ enabled: true, chosen: 'off', decided: 'on' });
  expect((await set('result_cache', 0)).body.percent).toBe(0);
  expect([await isOnFor('result_cache', tenant), await isOnFor('result_cache', other)]).toEqual([true, false]);
  await choose('result_cache', 'on');
  expect((await decide('result_cache', 'default')).body).toMatchObject({ enabled: false, chosen: 'on' });
  await set('result_cache', 100);
  await choose('result_cache', 'default');
  expect(await isOnFor('result_cache', tenant)).toBe(true);
});

test('what was decided is in the tenant’s log with its reason, and in nobody else’s', async () => {
  await decide('sse_transport', 'off');
  const events = async ({ key }: TestTenant): Promise<unknown[]> =>
    (await api.send('GET', '/v1/audit?target=feature_flag:sse_transport', { key })).body.records;
  expect(await events(tenant)).toMatchObject([{ event: 'feature_flag.decided', details: { state: 'off', reason } }]);
  expect(await events(other)).toEqual([]);
  expect(await isOnFor('sse_transport', other)).toBe(true);
  const { body } = await api.send('GET', '/admin/v1/actions?limit=2', { key: api.operatorKey });
  expect(JSON.stringify(body)).toContain('feature_flags.decide');
});

test('what is decided already changes nothing, as the platform’s log says, and is not told again', async () => {
  for (const state of ['default', 'on', 'on', 'default'])
    expect((await decide('shadow_calls', state)).body).toMatchObject({ decided: state });
  for (const percent of [40, 40]) expect((await set('shadow_calls', percent)).body).toMatchObject({ percent });
  const { body: log } = await api.send('GET', '/v1/audit?target=feature_flag:shadow_calls', { key: tenant.key });
  expect(log.records.map((record: { details: { state: string } }) => record.details.state)).toEqual(['default', 'on']);
  const outcomes = async (query: string): Promise<string[]> => {
    const { body } = await api.send('GET', `/admin/v1/actions?${query}`, { key: api.operatorKey });
    return body.actions.map((act: { details: { outcome: string } }) => act.details.outcome);
  };
  expect(await outcomes('action=feature_flags.decide&limit=4')).toEqual(['done', 'unchanged', 'done', 'unchanged']);
  expect(await outcomes('action=feature_flags.set&limit=2')).toEqual(['unchanged', 'done']);
});

test('a flag that there is not is refused with those that there are, and one that is the operators’ with the others', async () => {
  for (const answer of [await choose('telepathy', 'on'), await set('telepathy', 50), await decide('telepathy', 'on')]) {
    expect(answer.status).toBe(400);
    for (const flag of FLAG_NAMES) expect(answer.text).toContain(flag);
  }
  const refused = await choose('shadow_calls', 'off');
  expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining('result_cache')]);
  for (const percent of [-1, 101, 0.5]) expect((await set('sse_transport', percent)).status).toBe(400);
});

test('a part of the tenants is always the same part, and grows', () => {
  const tenants = Array.from({ length: 1_000 }, (_, index) => `tenant-${index}`);
  const at = (percent: number): string[] =>
    tenants.filter((id) => resolveFlags(id, { percents: { shadow_calls: percent }, decisions: {} }).shadow_calls);
  const [some, more] = [at(10), at(30)];
  expect(some.every((id) => more.includes(id))).toBe(true);
  expect(some.length).toBeGreaterThan(60);
  expect(some.length).toBeLessThan(140);
  expect(at(100)).toHaveLength(1_000);
});
