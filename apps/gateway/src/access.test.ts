import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from './gateway.fixture.js';
import { modern, send, type Answer } from './requests.fixture.js';

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;
let globex: TenantUnderTest;
const LIST = modern('tools/list');

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' });
  globex = await gateway.tenant('globex', { ship: 'https://api.example.com/ship' });
});

afterAll(() => gateway.stop());

function call(url: string, headers: Record<string, string>): Promise<Answer> {
  return send(url, { headers: { ...LIST.headers, ...headers }, body: LIST.body });
}

function withToken(url: string, token: string): Promise<Answer> {
  return call(url, { authorization: `Bearer ${token}` });
}

describe('access tokens', () => {
  test('open the URL they were minted for', async () => {
    expect((await withToken(acme.url, await gateway.token(acme, acme.url))).status).toBe(200);
    expect((await withToken(acme.serverUrl, await gateway.token(acme, acme.serverUrl))).status).toBe(200);
  });

  test('M-02: without one, the challenge says where to sign in and for what', async () => {
    const answer = await call(acme.serverUrl, {});
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${gateway.origin}/.well-known/oauth-protected-resource/t/acme/orders/mcp", scope="orders:read"`,
    );
  });

  test.each<[string, () => Promise<string>]>([
    ['M-03, O-21: minted for another URL of the same tenant', () => gateway.token(acme, acme.serverUrl)],
    ['minted for another tenant’s URL', () => gateway.token(globex, globex.url)],
    ['of another tenant with this URL as audience', () => gateway.token(globex, acme.url)],
    ['that has expired', () => gateway.token(acme, acme.url, {}, -60)],
    ['of another issuer', () => gateway.token(acme, acme.url, { iss: 'https://issuer.example.com' })],
    [
      'with another signature',
      () =>
        gateway.token(acme, acme.url).then((token) => `${token.split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}`),
    ],
    ['that is no token', async () => 'nonsense'],
  ])('M-02: refuses a token %s', async (_, token) => {
    const answer = await withToken(acme.url, await token());
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  });

  test('a token that was accepted at one URL is still refused at another', async () => {
    const token = await gateway.token(acme, acme.url);
    expect((await withToken(acme.url, token)).status).toBe(200);
    expect((await withToken(acme.serverUrl, token)).status).toBe(401);
  });

  test('a token without the scope is told which one is missing', async () => {
    const answer = await withToken(acme.url, await gateway.token(acme, acme.url, { scope: 'profile' }));
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toMatch(
      /^Bearer error="insufficient_scope", resource_metadata=".*", scope="mcp:read"$/,
    );
  });
});

describe('API keys', () => {
  test('open every URL of their tenant, as bearer or in X-API-Key', async () => {
    expect((await call(acme.url, { authorization: `Bearer ${acme.key}` })).status).toBe(200);
    expect((await call(acme.serverUrl, { 'x-api-key': acme.key })).status).toBe(200);
  });

  test('open nothing of another tenant', async () => {
    expect((await call(globex.url, { 'x-api-key': acme.key })).status).toBe(401);
  });

  test.each([['key'], ['access_token'], ['anything']])(
    'in the query as %s are refused with advice, even when valid',
    async (name) => {
      const answer = await call(`${acme.url}?${name}=${acme.key}`, { 'x-api-key': acme.key });
      expect(answer.status).toBe(400);
      expect(answer.json.error.message).toContain('Authorization header');
    },
  );

  test('beside another credential are refused, for only one of them could count', async () => {
    const answer = await call(acme.url, { authorization: `Bearer ${acme.key}`, 'x-api-key': globex.key });
    expect(answer.status).toBe(400);
    expect(answer.json.error.message).toContain('one credential');
  });

  test('without the scope of calls are refused, and the record says whose it was', async () => {
    const key = await gateway.apiKey(acme.id, ['management']);
    expect((await call(acme.url, { 'x-api-key': key.text })).status).toBe(403);
    const record = await gateway.audited(acme, ({ actor }) => actor['id'] === key.id);
    expect([record.event, record.outcome]).toEqual(['call.refused', 'insufficient_scope']);
  });

  test('that have expired are refused', async () => {
    const key = await gateway.apiKey(acme.id, ['mcp'], new Date(Date.now() - 1_000));
    expect((await call(acme.url, { 'x-api-key': key.text })).status).toBe(401);
  });

  test('that are revoked while in use are refused', async () => {
    const key = await gateway.apiKey(acme.id, ['mcp']);
    const use = () => call(acme.url, { 'x-api-key': key.text });
    expect((await use()).status).toBe(200);
    await gateway.control.asTenant(acme.id, (tx) =>
      tx.query(`update api_keys set revoked_at = now() where id = $1`, [key.id]),
    );
    await until(async () => (await use()).status !== 200, 'the key is refused');
    expect((await use()).status).toBe(401);
  });
});

test('a good key goes on where others at its address are slowed down, also when the tenant’s keys were forgotten', async () => {
  const own = await GatewayUnderTest.start({ WHARF_TRUST_PROXY: 'true' });
  const tenant = await own.tenant('acme', { find: 'https://api.example.com/find' });
  const use = async (key: string) =>
    (await call(tenant.url, { 'x-api-key': key, 'x-forwarded-for': '192.0.2.1' })).status;
  const [lost, unused] = [await own.apiKey(tenant.id, ['mcp']), await own.apiKey(tenant.id, ['mcp'])];
  expect([await use(tenant.key), await use(lost.text)]).toEqual([200, 200]);
  const wrong = `${tenant.key.slice(0, -4)}AAAA`;
  await until(async () => (await use(wrong)) === 429, 'the address is slowed down');
  await own.control.asTenant(tenant.id, (tx) =>
    tx.query(`update api_keys set revoked_at = now() where id = $1`, [lost.id]),
  );
  await until(async () => (await use(lost.text)) !== 200, 'the tenant’s keys are forgotten');
  expect(await use(tenant.key)).toBe(200);
  expect([await use(lost.text), await use(unused.text)]).toEqual([429, 429]);
  await own.stop();
});

test('refused keys slow their address down at that tenant, and good credentials go on', async () => {
  const own = await GatewayUnderTest.start({ WHARF_TRUST_PROXY: 'true' });
  const tenant = await own.tenant('acme', { find: 'https://api.example.com/find' });
  const from = (address: string, key: string) =>
    call(tenant.url, { 'x-api-key': key, 'x-forwarded-for': `10.0.0.9, ${address}` });
  const wrong = `${tenant.key.slice(0, -4)}AAAA`;
  expect((await from('192.0.2.1', tenant.key)).status).toBe(200);
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 61; attempt += 1) statuses.push((await from('192.0.2.1', wrong)).status);
  expect(statuses.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 401));
  expect(statuses[60]).toBe(429);
  expect((await from('192.0.2.1', tenant.key)).status).toBe(200);
  expect((await from('192.0.2.2', wrong)).status).toBe(401);
  const other = await own.tenant('globex', { find: 'https://api.example.com/find' });
  const elsewhere = { 'x-api-key': other.key, 'x-forwarded-for': '192.0.2.1' };
  expect((await call(other.url, elsewhere)).status).toBe(200);
  const token = await own.token(tenant, tenant.url);
  expect((await call(tenant.url, { authorization: `Bearer ${token}`, 'x-forwarded-for': '192.0.2.1' })).status).toBe(
    200,
  );
  await own.stop();
});
