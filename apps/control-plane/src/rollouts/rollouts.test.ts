import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { DEFAULT_THRESHOLDS, findRollout } from '#libs/rollouts';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { TOOL_SOURCE } from '../testing/route-examples.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let other: TestTenant;

beforeAll(async () => {
  api = await startControlPlane({ runtime: true });
  [tenant, other] = await Promise.all([api.newTenant(), api.newTenant()]);
  for (const { key } of [tenant, other])
    await api.send('POST', '/v1/servers', { key, body: { slug: 'shop', name: 'Shop' } });
});

afterAll(() => api.stop());

const PATH = '/v1/servers/shop/rollouts';
const post = (path: string, body?: unknown, key = tenant.key) =>
  api.send('POST', path, { key, ...(body === undefined ? {} : { body }) });

async function newRelease({ key }: TestTenant): Promise<string> {
  return (await post('/v1/servers/shop/releases', { source: TOOL_SOURCE }, key)).body.release.id;
}

async function makeLive({ id }: TestTenant, release: string): Promise<void> {
  await api.control.asTenant(id, async (tx) => {
    await tx.query(`update releases set state = 'live' where id = $1`, [release]);
    await tx.query(`update servers set live_release_id = $1`, [release]);
  });
}

async function setState({ id }: TestTenant, rollout: string, state: string): Promise<void> {
  await api.control.asTenant(id, (tx) => tx.query(`update rollouts set state = $2 where id = $1`, [rollout, state]));
}

test('without a live release there is nothing to roll out beside', async () => {
  const answer = await post(PATH, { release: await newRelease(tenant) });
  expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('Nothing is live')]);
  for (const one of [tenant, other]) await makeLive(one, await newRelease(one));
});

test('releases that are unknown, or another tenant’s, are not found, word for word alike', async () => {
  const answers = [await post(PATH, { release: newId() }), await post(PATH, { release: await newRelease(other) })];
  expect(answers.map(({ status }) => status)).toEqual([404, 404]);
  expect(new Set(answers.map(({ text, body }) => text.replace(body.request_id, 'its id'))).size).toBe(1);
});

test.each([
  ['steps that do not reach 100', { steps: [{ percent: 10, seconds: 1 }] }],
  ['steps that shrink', { steps: [50, 20, 100].map((percent) => ({ percent, seconds: 1 })) }],
  ['no steps', { steps: [] }],
  ['a step of 0 percent', { steps: [0, 100].map((percent) => ({ percent, seconds: 1 })) }],
  ['a step without time', { steps: [{ percent: 100, seconds: 0 }] }],
  ['eleven steps', { steps: Array.from({ length: 11 }, (_, at) => ({ percent: 90 + at, seconds: 1 })) }],
  ['steps of a switch', { strategy: 'blue-green', steps: [{ percent: 100, seconds: 1 }] }],
  ['an unknown strategy', { strategy: 'yolo' }],
  ['a drain of a year', { drain_seconds: 31_536_000 }],
])('%s are refused', async (_, wrong) => {
  const answer = await post(PATH, { release: await newRelease(tenant), ...wrong });
  expect([answer.status, (await api.send('GET', PATH, { key: tenant.key })).body.rollouts]).toEqual([400, []]);
});

test('a threshold out of its bounds, or unknown, is refused by its name', async () => {
  const release = await newRelease(tenant);
  const wrong = {
    alpha: [0, 0.2],
    min_samples: [4, 20.5],
    error_rate_increase: [-1],
    validation_failure_increase: [101],
    p95_ms_max: [0],
    p95_increase: ['much'],
    difference_rate_max: [1],
    changed_answers: ['shrug'],
    patience: [1],
  };
  for (const [name, values] of Object.entries(wrong))
    for (const value of values) {
      const { status, body } = await post(PATH, { release, thresholds: { [name]: value } });
      expect([name, status, JSON.stringify(body.errors)]).toEqual([name, 400, expect.stringContaining(`thresholds`)]);
      expect(JSON.stringify(body.errors)).toContain(name);
    }
});

test('a rollout keeps the thresholds that it was told, and has the defaults for others', async () => {
  const release = await newRelease(tenant);
  const thresholds = { p95_ms_max: 300, changed_answers: 'roll_back' };
  const { id } = (await post(PATH, { release, thresholds })).body.rollout;
  const shown = (await api.send('GET', `${PATH}/${id}`, { key: tenant.key })).body.rollout;
  expect(shown.thresholds).toEqual({ ...DEFAULT_THRESHOLDS, ...thresholds });
  expect((await post(`${PATH}/${id}/abort`)).status).toBe(200);
});

test('whoever resumes a rollout accepts the answers that it waited for', async () => {
  const { id } = (await post(PATH, { release: await newRelease(tenant) })).body.rollout;
  const probe = newId();
  await api.control.asTenant(tenant.id, (tx) =>
    tx.query(`update rollouts set state = 'paused', verdict = $2 where id = $1`, [
      id,
      JSON.stringify({ probes: { changed: [probe] } }),
    ]),
  );
  expect((await post(`${PATH}/${id}/resume`)).status).toBe(200);
  const accepted = await api.control.asTenant(tenant.id, (tx) => findRollout(tx, tenant.id, id));
  expect(accepted?.acceptedProbes).toEqual([probe]);
  expect((await post(`${PATH}/${id}/abort`)).status).toBe(200);
});

test('one rollout at a time, even when many are asked for at once, and no publishing meanwhile', async () => {
  const [first, second] = [await newRelease(tenant), await newRelease(tenant)];
  const answers = await Promise.all([first, second, first, second].map((release) => post(PATH, { release })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409]);
  const { id, release } = answers.find(({ status }) => status === 201)?.body.rollout ?? {};
  const free = release === first ? second : first;
  expect((await post(`/v1/servers/shop/releases/${free}/publish`)).status).toBe(409);
  expect((await post(`/v1/servers/shop/rollouts/${id}/promote`)).status).toBe(409); // not checked yet
  expect((await post(`/v1/servers/shop/rollouts/${id}/abort`)).body.rollout.state).toBe('aborted');
  expect((await post(`/v1/servers/shop/rollouts/${id}/promote`)).body.detail).toContain('it was aborted');
});

test('a rollout is moved along, and a rollback takes its candidate away again', async () => {
  const release = await newRelease(tenant);
  const { id, stable_release: stable } = (await post(PATH, { release })).body.rollout;
  await setState(tenant, id, 'running');
  const moved: string[] = [];
  for (const verb of ['pause', 'resume', 'promote'])
    moved.push((await post(`${PATH}/${id}/${verb}`)).body.rollout.state);
  expect(moved).toEqual(['paused', 'running', 'draining']);
  const live = async () => (await api.send('GET', '/v1/servers/shop', { key: tenant.key })).body.live_release.id;
  expect(await live()).toBe(release);
  expect((await post('/v1/servers/shop/rollback')).status).toBe(200);
  expect(await live()).toBe(stable);
  const ended = await api.send('GET', `${PATH}/${id}`, { key: tenant.key });
  expect(ended.body.rollout).toMatchObject({
    state: 'aborted',
    reason: 'Somebody rolled the server back.',
    percent: 0,
  });
});

test('a release that a rollout took back goes out again only where somebody says that this is meant', async () => {
  const release = await newRelease(tenant);
  const reason = 'Its error rate was 20 % against 0 %.';
  await api.control.asTenant(tenant.id, (tx) =>
    tx.query(`update releases set state = 'rejected', rejection = $2 where id = $1`, [
      release,
      JSON.stringify({ reason, rollout: newId() }),
    ]),
  );
  const publish = `/v1/servers/shop/releases/${release}/publish`;
  for (const [path, body] of [
    [PATH, { release }],
    [publish, {}],
  ] as const) {
    const answer = await post(path, body);
    expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('"acknowledge_rejected": true')]);
  }
  expect((await post(publish)).body.detail).toContain(reason);
  expect((await post(publish, { acknowledge_rejected: true })).status).toBe(202);
  await api.control.asTenant(tenant.id, (tx) =>
    tx.query(`update releases set state = 'rejected' where id = $1`, [release]),
  );
  const { id } = (await post(PATH, { release, acknowledge_rejected: true })).body.rollout;
  expect((await post(`${PATH}/${id}/abort`)).status).toBe(200);
});

test('a rollout of another tenant is not found, whatever is wanted of it', async () => {
  const { id } = (await post(PATH, { release: await newRelease(other) }, other.key)).body.rollout;
  const answers = [await api.send('GET', `${PATH}/${id}`, { key: tenant.key })];
  for (const verb of ['pause', 'resume', 'promote', 'abort']) answers.push(await post(`${PATH}/${id}/${verb}`));
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
});

test('while releases are frozen nothing goes out without a word, and everything can be taken back', async () => {
  const schedule = (body: unknown) =>
    api.send('PUT', '/v1/servers/shop/release-schedule', { key: tenant.key, body: body as object });
  const [release, next] = [await newRelease(tenant), await newRelease(tenant)];
  const freeze = { reason: 'Holidays.', until: null };
  expect((await schedule({ windows: [], freeze })).body.hold).toBe('The server’s releases are frozen: Holidays.');
  for (const path of [`/v1/servers/shop/releases/${release}/publish`, PATH]) {
    const answer = await post(path, path === PATH ? { release } : {});
    expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('Holidays.')]);
  }
  const { id } = (await post(PATH, { release: next, override_schedule: true })).body.rollout;
  await setState(tenant, id, 'running');
  expect((await post(`${PATH}/${id}/promote`)).status).toBe(409);
  expect((await post(`${PATH}/${id}/abort`)).body.rollout.state).toBe('aborted');
  expect((await schedule({ windows: [], freeze: null })).body.hold).toBeNull();
  expect((await post(PATH, { release })).status).toBe(201);
  const window = { days: [1], from: '09:00', until: '17:00', time_zone: 'Europe/Berlin' };
  for (const wrong of [{ days: [8] }, { days: [1, 1] }, { until: '08:00' }, { from: '25:00' }, { time_zone: 'Mars' }])
    expect((await schedule({ windows: [{ ...window, ...wrong }], freeze: null })).status).toBe(400);
});
