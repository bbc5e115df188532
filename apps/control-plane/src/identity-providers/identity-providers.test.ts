import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { openIssuer } from '../testing/openid-issuer.fixture.js';

let api: ControlPlane;
let owner: Client;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  owner = await api.connectOwner();
});
afterAll(() => api?.stop());
beforeEach(async () => {
  tenant = await api.newTenant();
});

const PATH = '/v1/identity-providers';
const provider = (issuer: string, changes: object = {}) => ({
  name: 'Company',
  issuer,
  client_id: 'wharf',
  client_secret: 'SECRET-CANARY',
  ...changes,
});

async function create(issuer: string, changes: object = {}) {
  return api.send('POST', PATH, { key: tenant.key, body: provider(issuer, changes) });
}

test('a provider is connected with careful defaults, and its secret is never shown, recorded or stored in plain', async () => {
  const issuer = await openIssuer(api, tenant);
  const made = await create(issuer);
  expect([made.status, made.body]).toEqual([
    201,
    {
      id: expect.any(String),
      name: 'Company',
      issuer,
      client_id: 'wharf',
      scopes: ['openid', 'email', 'profile'],
      email_domains: [],
      group_claim: null,
      group_roles: [],
      default_role: 'user',
      just_in_time: true,
      accepts_assertions: false,
      sign_in_again_hours: 24,
      keys_of_leavers: 'revoke',
      redirect_uri: `http://localhost:4000/auth/federation/${tenant.slug}/callback`,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    },
  ]);
  const list = await api.send('GET', PATH, { key: tenant.key });
  const audit = await api.send('GET', '/v1/audit', { key: tenant.key });
  expect(audit.text).toContain('identity_provider.created');
  const { rows } = await owner.query(`select encode(secret_ciphertext, 'escape') as text from identity_providers`);
  expect(made.text + list.text + audit.text + JSON.stringify(rows)).not.toContain('SECRET-CANARY');
});

test('an issuer is connected once in a tenant, and a private one only where an operator opened it', async () => {
  const issuer = await openIssuer(api, tenant);
  expect((await create(issuer)).status).toBe(201);
  expect((await create(issuer)).status).toBe(409);
  tenant = await api.newTenant();
  expect((await create(issuer)).status).toBe(422);
});

test('a tenant has ten at most', async () => {
  const answers: number[] = [];
  for (let at = 0; at < 11; at += 1) answers.push((await create(await openIssuer(api, tenant))).status);
  expect(answers).toEqual([...Array.from({ length: 10 }, () => 201), 409]);
});

describe('a provider that cannot work is refused with what is wrong with it', () => {
  test.each<[string, object | string, RegExp]>([
    ['another issuer', { issuer: 'https://elsewhere.example' }, /name exactly this issuer/],
    ['no JSON', 'hello', /must be JSON/],
    ['no token endpoint', { token_endpoint: undefined }, /no token_endpoint/],
    ['no keys', { jwks_uri: undefined }, /no jwks_uri/],
    ['no code flow', { response_types_supported: ['id_token'] }, /authorization code flow/],
    ['no PKCE with S256', { code_challenge_methods_supported: ['plain'] }, /PKCE/],
    [
      'symmetric signatures alone',
      { id_token_signing_alg_values_supported: ['HS256', 'none'] },
      /signs ID tokens with none/,
    ],
    ['too much to read', 'x'.repeat(300 * 1024), /does not answer/],
  ])('%s', async (_, change, sentence) => {
    const answer = await create(await openIssuer(api, tenant, change));
    expect([answer.status, answer.body.detail]).toEqual([422, expect.stringMatching(sentence)]);
    expect((await api.send('GET', PATH, { key: tenant.key })).body.identity_providers).toEqual([]);
  });

  test.each([
    ['http', 'http://idp.example', /is not https/],
    ['loopback', 'https://127.0.0.1:9', /not a public address/],
    ['loopback by name', 'https://localhost:9443', /not a public address/],
    ['the cloud’s metadata', 'https://169.254.169.254/latest', /not a public address/],
    ['IPv6 loopback', 'https://[::1]:9', /not a public address/],
    ['an IPv4 address in IPv6', 'https://[::ffff:10.0.0.1]', /not a public address/],
  ])('at %s, without a request', async (_, issuer, sentence) => {
    const answer = await create(issuer);
    expect([answer.status, answer.body.detail]).toEqual([422, expect.stringMatching(sentence)]);
  });
});

describe('bad input is refused', () => {
  test.each([
    ['an issuer with a query', { issuer: 'https://idp.example?x=1' }, '/issuer'],
    ['an issuer with credentials', { issuer: 'https://a:b@idp.example' }, '/issuer'],
    ['no issuer', { issuer: undefined }, '/issuer'],
    ['an empty secret', { client_secret: '' }, '/client_secret'],
    ['a secret with a line break', { client_secret: 'a\nb' }, '/client_secret'],
    ['scopes without openid', { scopes: ['email'] }, '/scopes'],
    ['no domain', { email_domains: ['not a domain'] }, '/email_domains/0'],
    ['a whole country', { email_domains: ['com'] }, '/email_domains/0'],
    ['the role of an owner', { default_role: 'owner' }, '/default_role'],
    ['a group that makes owners', { group_roles: [{ group: 'bosses', role: 'owner' }] }, '/group_roles/0/role'],
    ['a group twice', { group_roles: ['admin', 'user'].map((role) => ({ group: 'g', role })) }, '/group_roles'],
    ['no time between sign-ins', { sign_in_again_hours: 0 }, '/sign_in_again_hours'],
    ['a name that turns around', { name: 'a\u202eb' }, '/name'],
  ])('%s', async (_, changes, pointer) => {
    const answer = await create('https://idp.example', changes);
    expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, pointer]);
  });
});

test('changes keep what they do not name, the secret too', async () => {
  const { body } = await create(await openIssuer(api, tenant), { email_domains: ['Company.example'] });
  const before = await owner.query(`select secret_ciphertext from identity_providers where id = $1`, [body.id]);
  const change = { group_claim: 'groups', group_roles: [{ group: 'Ops', role: 'admin' }], default_role: null };
  const changed = await api.send('PATCH', `${PATH}/${body.id}`, { key: tenant.key, body: change });
  expect(changed.body).toEqual({
    ...body,
    ...change,
    email_domains: ['company.example'],
    updated_at: expect.any(String),
  });
  const after = await owner.query(`select secret_ciphertext from identity_providers where id = $1`, [body.id]);
  expect(after.rows).toEqual(before.rows);
});

test('the issuer cannot be changed: its people are known by it', async () => {
  const { body } = await create(await openIssuer(api, tenant));
  const answer = await api.send('PATCH', `${PATH}/${body.id}`, {
    key: tenant.key,
    body: { issuer: 'https://b.example' },
  });
  expect(answer.status).toBe(400);
});

test('disconnecting a provider takes its people’s membership, and ends what their agents hold', async () => {
  const { body } = await create(await openIssuer(api, tenant));
  const account = await personOf(body.issuer);
  expect((await api.send('DELETE', `${PATH}/${body.id}`, { key: tenant.key })).status).toBe(204);
  const members = await owner.query(`select 1 from members where account_id = $1`, [account]);
  const grants = await owner.query(`select 1 from grants where account_id = $1 and revoked_at is null`, [account]);
  const others = await owner.query(`select 1 from members where tenant_id = $1`, [tenant.id]);
  expect([members.rowCount, grants.rowCount, others.rowCount]).toEqual([0, 0, 1]);
});

test.each([
  ['', true, { api_keys_revoked: 1, api_keys_kept: 0 }],
  ['?keys=keep', false, { api_keys_revoked: 0, api_keys_kept: 1 }],
])('disconnecting a provider%s settles the keys that its people made', async (query, revoked, expected) => {
  const { body } = await create(await openIssuer(api, tenant));
  const account = await personOf(body.issuer);
  await owner.query(
    `insert into api_keys (tenant_id, id, name, key_hash, prefix, scopes, created_by, maker_unknown)
     values ($1, gen_random_uuid(), 'theirs', repeat('b', 64), 'whk_', '{mcp}', $2, false)`,
    [tenant.id, account],
  );
  expect((await api.send('DELETE', `${PATH}/${body.id}${query}`, { key: tenant.key })).status).toBe(204);
  const { api_keys: keys } = (await api.send('GET', '/v1/api-keys', { key: tenant.key })).body;
  const known = keys.map(({ name, revoked_at: at }: { name: string; revoked_at: unknown }) => [name, at !== null]);
  expect(known).toEqual(expect.arrayContaining([['theirs', revoked]]));
  const audit = await api.send('GET', '/v1/audit?event=identity_provider.deleted', { key: tenant.key });
  expect(audit.body.records[0].details).toEqual({ issuer: body.issuer, members_removed: 1, ...expected });
});

/** Somebody who has signed in with a provider and let an agent in. */
async function personOf(issuer: string): Promise<string> {
  const { rows } = await owner.query(
    `insert into accounts (id, home_tenant_id, asserted_email) values (gen_random_uuid(), $1, 'a@b.example') returning id`,
    [tenant.id],
  );
  const id: string = rows[0].id;
  await owner.query(
    `insert into federated_identities (tenant_id, issuer, subject, account_id) values ($1, $2, 's', $3)`,
    [tenant.id, issuer, id],
  );
  await owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [tenant.id, id]);
  await owner.query(
    `insert into grants (tenant_id, id, account_id, client_id, resource, scope, expires_at)
     values ($1, $2, $3, 'c', 'r', 'mcp', now() + interval '1 day')`,
    [tenant.id, 'a'.repeat(64), id],
  );
  return id;
}
