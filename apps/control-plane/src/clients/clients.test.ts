import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hashClientSecret, tenantOfClient } from '#libs/identity';
import type { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let owner: Client;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
  owner = await api.connectOwner();
});
afterAll(() => api.stop());

const APP = { kind: 'confidential', name: 'App', redirect_uris: ['https://app.example/cb'] };
const PUBLIC_APP = { kind: 'public', name: 'App', redirect_uris: ['http://127.0.0.1/cb', 'com.example.app:/cb'] };
const MACHINE = { kind: 'machine', name: 'Agent' };
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PUBLIC_JWK = P256.publicKey.export({ format: 'jwk' });
const KEYED = { ...MACHINE, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [PUBLIC_JWK] } };

const create = (body: unknown, key = tenant.key) => api.send('POST', '/v1/clients', { key, body });
const change = (id: string, body: unknown) => api.send('PATCH', `/v1/clients/${id}`, { key: tenant.key, body });
const rotate = (id: string, body: unknown = {}) =>
  api.send('POST', `/v1/clients/${id}/secret`, { key: tenant.key, body });

async function idOf(body: unknown): Promise<string> {
  return (await create(body)).body.client.client_id;
}

async function stored(id: string): Promise<Record<string, unknown>> {
  return (await owner.query(`select * from clients where id = $1`, [id])).rows[0];
}

describe('a client', () => {
  test.each([
    ['public', PUBLIC_APP, 'none', []],
    ['confidential', APP, 'client_secret_basic', []],
    ['machine', MACHINE, 'client_secret_basic', ['mcp']],
    ['machine with keys', KEYED, 'private_key_jwt', ['mcp']],
  ])('(%s) is registered, shown and listed', async (_, body, method, scopes) => {
    const answer = await create(body);
    expect(answer.status).toBe(201);
    const { client } = answer.body;
    expect(client).toMatchObject({
      ...body,
      token_endpoint_auth_method: method,
      scopes,
      enabled: true,
      last_used_at: null,
    });
    expect(tenantOfClient(client.client_id)).toBe(tenant.id);
    expect((await api.send('GET', `/v1/clients/${client.client_id}`, { key: tenant.key })).body).toEqual(client);
    const list = await api.send('GET', '/v1/clients', { key: tenant.key });
    expect(list.body.clients).toContainEqual(client);
  });

  test('shows its secret once and is stored with a hash of it', async () => {
    const answer = await create(MACHINE);
    const { client, client_secret: secret } = answer.body;
    expect(secret).toMatch(/^wcs_[\w-]{43}$/);
    const row = await stored(client.client_id);
    expect(row['secret_hash']).toBe(hashClientSecret(secret));
    expect(JSON.stringify(row)).not.toContain(secret);
    const later = await api.send('GET', '/v1/clients', { key: tenant.key });
    const audit = await api.send('GET', '/v1/audit', { key: tenant.key });
    expect(later.text + audit.text).not.toContain(secret);
  });

  test.each([
    ['public', PUBLIC_APP],
    ['keyed', KEYED],
  ])('(%s) that has no secret shows none, and gets none', async (_, body) => {
    const answer = await create(body);
    expect([answer.body.client_secret, (await rotate(answer.body.client.client_id)).status]).toEqual([null, 409]);
  });

  test.each<[string, object, string]>([
    [
      'a public one that authenticates',
      { ...PUBLIC_APP, token_endpoint_auth_method: 'client_secret_post' },
      '/token_endpoint_auth_method',
    ],
    ['a confidential one that does not', { ...APP, token_endpoint_auth_method: 'none' }, '/token_endpoint_auth_method'],
    ['an app without a redirect URI', { kind: 'public', name: 'App' }, '/redirect_uris'],
    ['an app with scopes', { ...APP, scopes: ['mcp'] }, '/scopes'],
    ['a machine with a redirect URI', { ...MACHINE, redirect_uris: ['https://app.example/cb'] }, '/redirect_uris'],
    ['a machine without a scope', { ...MACHINE, scopes: [] }, '/scopes'],
    ['a machine that manages', { ...MACHINE, scopes: ['management'] }, '/scopes/0'],
    ['keys without private_key_jwt', { ...MACHINE, jwks: { keys: [PUBLIC_JWK] } }, '/jwks'],
    ['private_key_jwt without keys', { ...MACHINE, token_endpoint_auth_method: 'private_key_jwt' }, '/jwks'],
    ['keys in two places', { ...KEYED, jwks_uri: 'https://app.example/jwks' }, '/jwks'],
    ['a private key', { ...KEYED, jwks: { keys: [P256.privateKey.export({ format: 'jwk' })] } }, '/jwks/keys/0'],
    ['a shared key', { ...KEYED, jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }, '/jwks/keys/0/kty'],
    ['half a key', { ...KEYED, jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA' }] } }, '/jwks/keys/0'],
    ['no key', { ...KEYED, jwks: { keys: [] } }, '/jwks/keys'],
    ['keys for alg none', { ...KEYED, jwks: { keys: [{ ...PUBLIC_JWK, alg: 'none' }] } }, '/jwks/keys/0/alg'],
    ...[
      'https://10.0.0.1/jwks',
      'https://127.0.0.1/jwks',
      'https://[::1]/jwks',
      'https://169.254.169.254/jwks',
      'https://2130706433/jwks',
    ].map((url): [string, object, string] => [
      `keys at ${url}`,
      { ...KEYED, jwks: undefined, jwks_uri: url },
      '/jwks_uri',
    ]),
    ['keys on plain http', { ...KEYED, jwks: undefined, jwks_uri: 'http://app.example/jwks' }, '/jwks_uri'],
    ['a name that reads backwards', { ...MACHINE, name: 'a\u202eb' }, '/name'],
    ['a script as redirect URI (O-34)', { ...APP, redirect_uris: ['javascript:alert(1)'] }, '/redirect_uris/0'],
    ['a fragment in it (O-34)', { ...APP, redirect_uris: ['https://a.example/#f'] }, '/redirect_uris/0'],
    ['a line break in it (O-34)', { ...APP, redirect_uris: ['https://a.example/cb\n'] }, '/redirect_uris/0'],
    ['a backslash in it (O-34)', { ...APP, redirect_uris: ['https://a.example\\@b.example/'] }, '/redirect_uris/0'],
    ['plain http in it', { ...APP, redirect_uris: ['http://app.example/cb'] }, '/redirect_uris/0'],
    ['credentials in it', { ...APP, redirect_uris: ['https://u:p@app.example/cb'] }, '/redirect_uris/0'],
    [
      'an app of a machine’s own with https on it',
      { ...APP, redirect_uris: ['com.example.app:/cb', 'https://localhost/cb'] },
      '/redirect_uris',
    ],
    [
      'eleven redirect URIs (O-34)',
      { ...APP, redirect_uris: Array.from({ length: 11 }, (_, at) => `https://a.example/${at}`) },
      '/redirect_uris',
    ],
    ['an id of its own choice (O-24)', { ...MACHINE, client_id: tenantIdLike() }, '/client_id'],
  ])('is refused as %s', async (_, body, pointer) => {
    const before = (await owner.query(`select count(*) from clients`)).rows;
    const answer = await create(JSON.parse(JSON.stringify(body)));
    expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, pointer]);
    expect((await owner.query(`select count(*) from clients`)).rows).toEqual(before);
  });

  test('of a machine can be for parts of servers that exist', async () => {
    await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug: 'orders', name: 'Orders' } });
    const scopes = ['orders:read', 'orders:write', 'mcp:read'];
    const made = await create({ ...MACHINE, scopes });
    expect([made.status, made.body.client?.scopes]).toEqual([201, scopes]);
    const id = made.body.client.client_id;
    for (const unknown of ['billing:read', 'orders:gifts']) {
      for (const answer of [await create({ ...MACHINE, scopes: [unknown] }), await change(id, { scopes: [unknown] })]) {
        expect([answer.status, answer.body.code, answer.body.errors?.[0]?.pointer]).toEqual([
          422,
          'unprocessable',
          '/scopes/0',
        ]);
      }
    }
    expect((await change(id, { scopes: ['orders:read'] })).body.scopes).toEqual(['orders:read']);
  });

  test('is changed within its kind, and the log says what was', async () => {
    const id = await idOf(APP);
    const answer = await change(id, { name: 'Other', redirect_uris: ['https://b.example/cb'], enabled: false });
    expect(answer.body).toMatchObject({ name: 'Other', redirect_uris: ['https://b.example/cb'], enabled: false });
    for (const body of [
      { scopes: ['mcp'] },
      { redirect_uris: [] },
      { jwks_uri: 'https://a.example/jwks' },
      {},
      { kind: 'machine' },
    ]) {
      expect((await change(id, body)).status).toBe(400);
    }
    expect((await api.send('GET', `/v1/clients/${id}`, { key: tenant.key })).body).toEqual(answer.body);
    const { body } = await api.send('GET', `/v1/audit?target=client:${id}`, { key: tenant.key });
    expect(body.records.map((record: { event: string }) => record.event).toSorted()).toEqual([
      'client.changed',
      'client.created',
    ]);
  });

  test('gets its keys from elsewhere instead when it is told so', async () => {
    const id = await idOf(KEYED);
    const answer = await change(id, { jwks_uri: 'https://app.example/jwks' });
    expect(answer.body).toMatchObject({ jwks: null, jwks_uri: 'https://app.example/jwks' });
  });

  test('gets a new secret while the present one stays good for the overlap; of three, the oldest ends', async () => {
    const first = (await create(MACHINE)).body;
    const id = first.client.client_id;
    const second = (await rotate(id, { overlap_seconds: 60 })).body;
    expect(await stored(id)).toMatchObject({
      secret_hash: hashClientSecret(second.client_secret),
      previous_secret_hash: hashClientSecret(first.client_secret),
    });
    expect(Date.parse(second.client.previous_secret_expires_at)).toBeGreaterThan(Date.now());
    const third = (await rotate(id, { overlap_seconds: 0 })).body;
    expect(await stored(id)).toMatchObject({
      secret_hash: hashClientSecret(third.client_secret),
      previous_secret_hash: hashClientSecret(second.client_secret),
    });
    expect(third.client.previous_secret_expires_at).toBeNull();
    expect((await rotate(id, { overlap_seconds: 604_801 })).status).toBe(400);
  });

  test('is deleted with what it held for people', async () => {
    const id = await idOf(APP);
    await owner.query(
      `insert into grants (tenant_id, id, account_id, client_id, resource, scope, expires_at)
       values ($1, repeat('a', 64), $2, $3, 'r', 'mcp', now() + interval '1 hour')`,
      [tenant.id, tenant.ownerId, id],
    );
    const remove = () => api.send('DELETE', `/v1/clients/${id}`, { key: tenant.key });
    expect([(await remove()).status, (await remove()).status]).toEqual([204, 404]);
    const { rows } = await owner.query(`select revoked_at is not null as revoked from grants where client_id = $1`, [
      id,
    ]);
    expect(rows).toEqual([{ revoked: true }]);
  });

  test('is nothing to another tenant, which cannot end its grants either', async () => {
    const id = await idOf(APP);
    const { key } = await api.newTenant();
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PATCH', '', { name: 'x' }],
      ['POST', '/secret', {}],
      ['DELETE', '', undefined],
    ] as const) {
      const sent = body === undefined ? { key } : { key, body };
      expect((await api.send(method, `/v1/clients/${id}${path}`, sent)).status).toBe(404);
    }
    expect(await stored(id)).toMatchObject({ name: 'App' });
  });

  test('is one of 200 at most', async () => {
    const { key, id } = await api.newTenant();
    await owner.query(
      `insert into clients (tenant_id, id, kind, name, auth_method, redirect_uris, scopes)
       select $1, 'c' || n, 'public', 'n', 'none', '{}', '{}' from generate_series(1, 200) n`,
      [id],
    );
    expect((await create(MACHINE, key)).status).toBe(409);
  });
});

function tenantIdLike(): string {
  return '0190a0b0-0000-7000-8000-000000000000';
}
