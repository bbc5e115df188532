import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { findCandidate } from '../testing/drift-examples.fixture.js';
import { TOOL_SOURCE } from '../testing/route-examples.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let other: TestTenant;
const PATH = '/v1/servers/shop/drift';

beforeAll(async () => {
  api = await startControlPlane({ runtime: true });
  [tenant, other] = await Promise.all([api.newTenant(), api.newTenant()]);
  for (const one of [tenant, other]) {
    await api.send('POST', '/v1/servers', { key: one.key, body: { slug: 'shop', name: 'Shop' } });
    await makeLive(one, await newRelease(one));
  }
});
afterAll(() => api.stop());

const get = (path: string, { key }: TestTenant = tenant) => api.send('GET', path, { key });
const post = (path: string, body: object = {}, { key }: TestTenant = tenant) => api.send('POST', path, { key, body });

async function newRelease({ key }: TestTenant): Promise<string> {
  const answer = await api.send('POST', '/v1/servers/shop/releases', { key, body: { source: TOOL_SOURCE } });
  return answer.body.release.id;
}

async function makeLive({ id }: TestTenant, release: string): Promise<void> {
  await api.control.asTenant(id, async (tx) => {
    await tx.query(`update releases set state = 'live' where id = $1`, [release]);
    await tx.query(`update servers set live_release_id = $1`, [release]);
  });
}

async function found(of: TestTenant, state = 'pending'): Promise<{ path: string; release: string }> {
  const release = await newRelease(of);
  const candidate = await findCandidate(api, of, { server: 'shop', release, state });
  return { path: `${PATH}/candidates/${candidate}`, release };
}

test('a server says what is done where its upstreams change: somebody is asked, where nothing was said', async () => {
  expect((await get(PATH)).body.drift).toMatchObject({ policy: 'approve', outcome: null, checked_at: null });
  const check = () => api.send('POST', `${PATH}/check`, { key: tenant.key });
  expect((await check()).status).toBe(409);
  const wrong = await api.send('PUT', PATH, { key: tenant.key, body: { policy: 'yolo' } });
  expect(wrong.status).toBe(400);
  const changed = await api.send('PUT', PATH, { key: tenant.key, body: { policy: 'auto' } });
  expect(changed.body.drift.policy).toBe('auto');
  const due = (await check()).body.drift.due_at;
  expect(Date.parse(due)).toBeLessThanOrEqual(Date.now() + 1_000);
  expect((await get(PATH, other)).body.drift.policy).toBe('approve');
});

test('an approved candidate begins its rollout, once, and says which', async () => {
  const { path, release } = await found(tenant);
  const shown = (await get(path)).body;
  expect(shown).toMatchObject({
    candidate: { state: 'pending', release, tools: { changed: ['get'] } },
    diff: { to: { id: release } },
  });
  const answers = await Promise.all([post(`${path}/approve`), post(`${path}/approve`)]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
  const { candidate, rollout } = answers.find(({ status }) => status === 201)?.body ?? {};
  expect([candidate.state, candidate.rollout, rollout.strategy]).toEqual(['rolling_out', rollout.id, 'canary']);
  const refused = await post(`${path}/refuse`, { reason: 'Too late.' });
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('Abort that one instead')]);
  expect((await api.send('POST', `/v1/servers/shop/rollouts/${rollout.id}/abort`, { key: tenant.key })).status).toBe(
    200,
  );
});

test('a refused candidate keeps its reason, needs one, and may be approved after all', async () => {
  const { path } = await found(tenant);
  expect((await post(`${path}/refuse`, { reason: ' ' })).status).toBe(400);
  const refused = await post(`${path}/refuse`, { reason: 'We did not ask for it.' });
  expect(refused.body.candidate).toMatchObject({ state: 'refused', reason: 'We did not ask for it.' });
  const listed = await get(`${PATH}/candidates?state=refused`);
  expect(listed.body.candidates).toHaveLength(1);
  await api.send('PUT', '/v1/servers/shop/release-schedule', {
    key: tenant.key,
    body: { windows: [], freeze: { reason: 'Holidays.', until: null } },
  });
  const frozen = await post(`${path}/approve`);
  expect([frozen.status, frozen.body.detail]).toEqual([409, expect.stringContaining('Holidays.')]);
  expect((await get(path)).body.candidate.state).toBe('refused');
  const approved = await post(`${path}/approve`, { override_schedule: true });
  expect(approved.status).toBe(201);
  await api.send('POST', `/v1/servers/shop/rollouts/${approved.body.rollout.id}/abort`, { key: tenant.key });
});

test.each([
  ['superseded', 'lists something else by now'],
  ['withdrawn', 'lists again what was approved'],
  ['unusable', 'mended at the upstream'],
])('what is %s is neither approved nor refused', async (state, why) => {
  const { path } = await found(tenant, state);
  for (const [verb, body] of [
    ['approve', {}],
    ['refuse', { reason: 'No.' }],
  ] as const) {
    const answer = await post(`${path}/${verb}`, body);
    expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining(why)]);
  }
});

test('a candidate for a release that is not live any more is not approved', async () => {
  const { path } = await found(tenant);
  await makeLive(tenant, await newRelease(tenant));
  const answer = await post(`${path}/approve`);
  expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('Another release is live by now')]);
});

test('a candidate of another tenant is not found, whatever is wanted of it', async () => {
  const { path } = await found(other);
  const answers = [await get(path), await post(`${path}/approve`), await post(`${path}/refuse`, { reason: 'No.' })];
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  expect((await get(path, other)).body.candidate.state).toBe('pending');
});
