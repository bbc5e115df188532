import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import type { TokenParts } from '../testing/token-issuer.fixture.js';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let other: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  [tenant, other] = await Promise.all([api.newTenant(), api.newTenant()]);
});

afterAll(() => api.stop());

const show = (key: string) => api.send('GET', '/v1/tenant', { key });

/** A token of the tenant's owner with some parts changed. */
function tokenWith(claims: Partial<TokenParts['claims']>, rest: Omit<TokenParts, 'claims'> = {}): Promise<string> {
  const aud = `http://localhost:4000/v1/tenants/${tenant.slug}`;
  return api.issuer.token({ claims: { sub: tenant.ownerId, tenant: tenant.id, aud, ...claims }, ...rest });
}

describe('access tokens', () => {
  test('an owner’s token for this management API is let in', async () => {
    expect(await show(await tokenWith({}))).toMatchObject({ status: 200, body: { tenant: { slug: tenant.slug } } });
  });

  test.each<[string, () => Promise<string>]>([
    ['for the tenant’s MCP URL', () => tokenWith({ aud: `http://localhost:4000/t/${tenant.slug}/mcp` })],
    ['for another tenant’s management API', () => tokenWith({ aud: `http://localhost:4000/v1/tenants/${other.slug}` })],
    ['that names another tenant', () => tokenWith({ tenant: other.id })],
    ['that names a tenant that never was', () => tokenWith({ tenant: newId() })],
    ['of another issuer', () => tokenWith({ iss: 'http://localhost:4000/elsewhere' })],
    ['that expired a minute ago', () => tokenWith({}, { lifetimeSeconds: -60 })],
    ['signed with a key that is not in the set', () => tokenWith({}, { foreignKey: true })],
    ['with an unknown key id', () => tokenWith({}, { header: { kid: 'k2' } })],
    ['that is no access token', () => tokenWith({}, { header: { typ: 'JWT' } })],
    ['that is bound to a key', () => tokenWith({ cnf: { jkt: 'x' } })],
    ['without a client', () => tokenWith({ client_id: undefined })],
  ])('refuses a token %s', async (_, mint) => {
    const answer = await show(await mint());
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
  });

  test('refuses a token that is signed with nothing, or with the public key as a secret', async () => {
    const [, payload] = (await tokenWith({})).split('.');
    for (const alg of ['none', 'HS256']) {
      const header = Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid: 'k1' })).toString('base64url');
      for (const signature of ['', 'AAAA']) expect((await show(`${header}.${payload}.${signature}`)).status).toBe(401);
    }
  });

  test('a token without the scope is told which one', async () => {
    const answer = await show(await tokenWith({ scope: 'mcp' }));
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
    expect(answer.headers.get('www-authenticate')).toContain('scope="management"');
  });

  test('a removed member’s token is worth nothing at once', async () => {
    const member = await api.newMember(tenant, 'admin');
    const token = await api.tokenOf(tenant, member);
    expect((await show(token)).status).toBe(200);
    await api.control.asTenant(tenant.id, (tx) => tx.query(`delete from members where account_id = $1`, [member]));
    expect((await show(token)).status).toBe(403);
  });

  test.each([
    ['admin', [200, 200, 201]],
    ['developer', [403, 200, 403]],
    ['auditor', [200, 403, 403]],
  ])('the role %s holds what its row says', async (role, expected) => {
    const key = await api.tokenOf(tenant, await api.newMember(tenant, role));
    const answers = [
      await api.send('GET', '/v1/audit', { key }),
      await api.send('PUT', '/v1/secrets/by-role', { key, body: { value: 'v' } }),
      await api.send('POST', '/v1/api-keys', { key, body: { name: 'k', scopes: ['mcp'] } }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual(expected);
  });
});

describe('API keys', () => {
  test('a key works as bearer token and in X-API-Key, and its use is noted once a minute', async () => {
    const owner = await api.newTenant();
    expect((await show(owner.key)).status).toBe(200);
    expect((await api.send('GET', '/v1/tenant', { headers: { 'x-api-key': owner.key } })).status).toBe(200);
    const audit = await api.send('GET', '/v1/audit?event=api_key.used', { key: owner.key });
    expect(audit.body.records).toHaveLength(1);
    const keys = await api.send('GET', '/v1/api-keys', { key: owner.key });
    expect(keys.body.api_keys[0].last_used_at).not.toBeNull();
  });

  test('an expired key is refused', async () => {
    const body = { name: 'short', scopes: ['management'], expires_at: new Date(Date.now() + 60_000).toISOString() };
    const created = await api.send('POST', '/v1/api-keys', { key: tenant.key, body });
    expect((await show(created.body.text)).status).toBe(200);
    await api.control.asTenant(tenant.id, (tx) =>
      tx.query(`update api_keys set expires_at = now() - interval '1 second' where id = $1`, [created.body.id]),
    );
    expect((await show(created.body.text)).status).toBe(401);
  });

  test('a key whose tenant part was exchanged opens nothing', async () => {
    const forged = `${other.key.slice(0, 26)}${tenant.key.slice(26)}`;
    expect((await show(forged)).status).toBe(401);
  });

  test('a key may do what an owner may, but not look at the members', async () => {
    expect((await api.send('GET', '/v1/members', { key: tenant.key })).status).toBe(403);
  });
});

test('a suspended tenant is refused everywhere at once, and let in again when resumed', async () => {
  const guest = await api.newTenant();
  const token = await api.tokenOf(guest, guest.ownerId);
  const act = (verb: string) =>
    api.send('POST', `/admin/v1/tenants/${guest.slug}/${verb}`, { key: api.operatorKey, body: { reason: 'unpaid' } });
  const auditor = await api.tokenOf(guest, await api.newMember(guest, 'auditor'));
  const body = { name: 'agents', scopes: ['mcp'] };
  const agents = (await api.send('POST', '/v1/api-keys', { key: guest.key, body })).body.text;
  await act('suspend');
  for (const [key, isTold] of [
    [guest.key, true],
    [token, true],
    [auditor, false],
    [agents, false],
  ] as const) {
    const answer = await show(key);
    expect([answer.status, answer.body.code]).toEqual([403, 'tenant_suspended']);
    // Whoever manages the tenant reads why.
    expect(String(answer.body.detail).includes('“unpaid”')).toBe(isTold);
  }
  await act('resume');
  expect((await show(guest.key)).status).toBe(200);
});

test('when the key set cannot be fetched a token is neither accepted nor called invalid', async () => {
  const lost = await startControlPlane({ environment: { WHARF_JWKS_URL: 'http://127.0.0.1:9/jwks' } });
  const guest = await lost.newTenant();
  const answer = await lost.send('GET', '/v1/tenant', { key: await lost.tokenOf(guest, guest.ownerId) });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  await lost.stop();
});
