import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import {
  startControlPlane,
  type Answer,
  type ControlPlane,
  type TestTenant,
} from '../testing/control-plane.fixture.js';
import { withVerifiedRelease } from '../testing/environment-examples.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let other: TestTenant;

beforeAll(async () => {
  api = await startControlPlane({ runtime: true });
  [tenant, other] = await Promise.all([api.newTenant(), api.newTenant()]);
  for (const { key } of [tenant, other]) {
    await api.send('POST', '/v1/servers', { key, body: { slug: 'shop', name: 'Shop' } });
    await api.send('POST', '/v1/servers/shop/environments', { key, body: { environment: 'staging' } });
  }
});

afterAll(() => api.stop());

const as = (method: string, path: string, body?: unknown, { key } = tenant): Promise<Answer> =>
  api.send(method, path, { key, ...(body === undefined ? {} : { body }) });
const promote = (body: object, server = 'shop', of = tenant): Promise<Answer> =>
  as('POST', `/v1/servers/${server}/promotions`, body, of);
const build = async (server: string, version?: string, of = tenant): Promise<{ id: string; digest: string }> => {
  const source = {
    kind: 'http',
    credentials: [
      { id: 'key', secret: 'token', in: 'header', name: 'authorization', origins: ['https://api.example.com'] },
    ],
    tools: [
      {
        name: 'find',
        description: `Finds ${version ?? 'things'}.`,
        method: 'GET',
        url: 'https://api.example.com/find',
        credentials: ['key'],
      },
    ],
  };
  const { status, body, text } = await as('POST', `/v1/servers/${server}/releases`, { source, version }, of);
  if (status !== 201) throw new Error(text);
  return body.release;
};

test('an environment is a server with its own URL and production’s settings, and cannot outlive it', async () => {
  const { body } = await as('GET', '/v1/servers/shop/environments');
  expect(body.environments.map(({ environment }: { environment: string }) => environment)).toEqual([
    'production',
    'staging',
  ]);
  expect(body.environments[1].server).toMatchObject({ slug: 'shop~staging', environment: 'staging', name: 'Shop' });
  expect(body.environments[1].server.urls.mcp).toBe(`http://localhost:4000/t/${tenant.slug}/shop~staging/mcp`);
  expect((await as('GET', '/v1/servers/shop~staging')).body.slug).toBe('shop~staging');
  const gone = await as('DELETE', '/v1/servers/shop');
  expect([gone.status, gone.body.detail]).toEqual([409, 'Delete its environments first: shop~staging.']);
});

test.each(['production', 'Staging', '', 'a~b', '1st', 'x'.repeat(17)])(
  '"%s" names no new environment',
  async (name) => {
    expect((await as('POST', '/v1/servers/shop/environments', { environment: name })).status).toBe(400);
  },
);

test('an environment is made once, and no server can be called as one', async () => {
  expect((await as('POST', '/v1/servers/shop/environments', { environment: 'staging' })).status).toBe(409);
  expect((await as('POST', '/v1/servers', { slug: 'shop~qa', name: 'S' })).status).toBe(400);
});

test('what holds in an environment is its own; production’s is the plan’s', async () => {
  const path = '/v1/servers/shop/environments';
  const policy = { calls_per_minute: 5, egress_hosts: ['api.example.com'] };
  expect((await as('PATCH', `${path}/staging`, { policy })).body.policy).toEqual({
    concurrent_calls: null,
    audit_mode: null,
    ...policy,
  });
  expect((await as('PATCH', `${path}/staging`, { policy: { calls_per_minute: null } })).body.policy).toMatchObject({
    calls_per_minute: null,
    egress_hosts: ['api.example.com'],
  });
  expect((await as('PATCH', `${path}/production`, { policy })).status).toBe(422);
  for (const bad of [{}, { egress_hosts: ['https://x'] }, { audit_mode: 'never' }, { calls_per_minute: 0 }])
    expect((await as('PATCH', `${path}/staging`, { policy: bad })).status).toBe(400);
  expect((await as('GET', `${path}/staging`, undefined, other)).body.policy.egress_hosts).toBeNull();
});

test('secrets of environments are apart, under the same names', async () => {
  const write = (environment: string, value: string): Promise<Answer> =>
    as('PUT', `/v1/secrets/apart?environment=${environment}`, { value });
  expect((await write('staging', 's1')).body).toMatchObject({ name: 'apart', environment: 'staging', version: 1 });
  expect((await as('GET', '/v1/secrets/apart')).status).toBe(404);
  expect((await write('staging', 's2')).body.version).toBe(2);
  expect((await write('production', 'p1')).body).toMatchObject({ environment: 'production', version: 1 });
  const names = async (query: string): Promise<string[]> =>
    (await as('GET', `/v1/secrets${query}`)).body.secrets.map((secret: { name: string }) => secret.name);
  expect([await names(''), await names('?environment=staging')]).toEqual([['apart'], ['apart']]);
  const unknown = await write('qa', 'q');
  expect([unknown.status, unknown.body.detail]).toEqual([422, expect.stringContaining('environment qa')]);
  expect((await as('DELETE', '/v1/secrets/apart?environment=staging')).status).toBe(204);
  expect([await names(''), await names('?environment=staging')]).toEqual([['apart'], []]);
});

test('a release is promoted as it is, once its secrets are there', async () => {
  const release = await build('shop~staging', '1.0.0');
  expect((await promote({ from: 'staging' })).body.detail).toContain('Nothing is live there');
  await withVerifiedRelease(api, tenant, { server: 'shop~staging', release: release.id });
  const lacking = await promote({ from: 'staging' });
  expect([lacking.status, lacking.body.detail]).toEqual([
    422,
    expect.stringContaining('production lacks the secrets token'),
  ]);
  await as('PUT', '/v1/secrets/token?environment=staging', { value: 'not enough' });
  expect((await promote({ from: 'staging' })).status).toBe(422);
  await as('PUT', '/v1/secrets/token', { value: 'there' });
  const first = await promote({ from: 'staging' });
  expect([first.status, first.body.rollout]).toEqual([201, null]);
  expect(first.body.release).toMatchObject({ digest: release.digest, version: '1.0.0', state: 'publishing' });
  await withVerifiedRelease(api, tenant, { server: 'shop', release: first.body.release.id });
  expect((await promote({ from: 'staging' })).body.detail).toContain('is live already');
  expect((await promote({ from: 'production' }, 'shop~staging')).body.detail).toContain('is live already');
  const next = await build('shop~staging', '1.1.0');
  await withVerifiedRelease(api, tenant, { server: 'shop~staging', release: next.id });
  const second = await promote({ from: 'staging', release: next.id });
  expect(second.body).toMatchObject({ release: { digest: next.digest }, rollout: { strategy: 'canary' } });
  expect((await promote({ from: 'staging' })).body.detail).toContain('Promote or abort it');
  const { body } = await as('GET', `/v1/audit?target=release:${second.body.release.id}`);
  expect(body.records.at(-1)).toMatchObject({
    event: 'release.promoted',
    details: { from: 'staging', digest: next.digest, promoted_release: next.id },
  });
});

test('only what serves the other environment alone is promoted', async () => {
  const live = await build('shop~staging');
  const [rejected, idle] = [await build('shop~staging', '7.0.0'), await build('shop~staging', '7.0.1')];
  await withVerifiedRelease(api, tenant, { server: 'shop~staging', release: live.id });
  await api.control.asTenant(tenant.id, (tx) =>
    tx.query(`update releases set state = 'rejected' where id = $1`, [rejected.id]),
  );
  const refusal = async (body: object, server = 'shop', of = tenant): Promise<[number, string]> => {
    const { status, body: said } = await promote(body, server, of);
    return [status, said.detail];
  };
  expect(await refusal({ from: 'staging', release: rejected.id })).toEqual([409, expect.stringContaining('rejected')]);
  expect(await refusal({ from: 'staging', release: idle.id })).toEqual([409, expect.stringContaining('is ready')]);
  const nothing = await promote({ from: 'staging', release: newId() });
  const theirs = await build('shop~staging', undefined, other);
  for (const body of [{ from: 'staging', release: theirs.id }, { from: 'qa' }])
    expect((await promote(body)).body.detail).toBe(nothing.body.detail);
  expect((await promote({ from: 'staging' }, 'shop', other)).status).toBe(409);
  expect(await refusal({ from: 'production' })).toEqual([409, expect.stringContaining('this environment')]);
  await api.control.asTenant(tenant.id, (tx) =>
    tx.query(`update releases set verification = null where id = $1`, [live.id]),
  );
  expect(await refusal({ from: 'staging' })).toEqual([409, expect.stringContaining('never verified')]);
});
