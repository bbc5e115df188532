import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, UnsecuredJWT } from 'jose';
import type { CompanyProvider } from '#libs/testing';
import { AuthWorld, type Answered, type TestClient } from '../testing/auth-world.fixture.js';
import { connectProvider, startCompany } from '../testing/openid-provider.fixture.js';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ID_JAG = { typ: 'oauth-id-jag+jwt' };

let world: AuthWorld;
let company: CompanyProvider;
let other: CompanyProvider;
let acme: string;
let twin: string;
let provider: string;
let client: TestClient;
let resource: string;

beforeAll(async () => {
  world = await AuthWorld.open();
  [acme, twin] = [await world.addTenant('acme'), await world.addTenant('twin')];
  [company, other] = await Promise.all([startCompany(world, ['acme']), startCompany(world, ['twin'])]);
  provider = await connectProvider(world, acme, company, { accepts_assertions: true, default_role: 'user' });
  await connectProvider(world, twin, other, { accepts_assertions: true, default_role: 'user' });
  client = await world.register({
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code', JWT_BEARER],
  });
  resource = `${world.url}/t/acme/mcp`;
});
afterAll(async () => {
  await Promise.all([company?.stop(), other?.stop()]);
  await world?.close();
});

type Claims = Readonly<Record<string, unknown>>;

const now = (): number => Math.floor(Date.now() / 1_000);

function claimsWith(changes: Claims = {}): Claims {
  return {
    iss: company.issuer,
    sub: 'anna-1',
    aud: `${world.url}/auth`,
    client_id: client.client_id,
    jti: randomUUID(),
    iat: now(),
    exp: now() + 300,
    resource,
    scope: 'mcp',
    email: 'anna@company.example',
    ...changes,
  };
}

const bring = (assertion: string, fields: Record<string, string> = {}): Promise<Answered> =>
  world.token(client, { grant_type: JWT_BEARER, assertion, ...fields });

async function exchange(changes: Claims = {}, header: object = ID_JAG): Promise<Answered> {
  return bring(await company.sign(claimsWith(changes), header));
}

test('an assertion of the tenant’s provider becomes a token for exactly the URL it names, and no refresh token', async () => {
  const { status, body, headers } = await exchange();
  expect([status, Object.keys(body).sort()]).toEqual([200, ['access_token', 'expires_in', 'scope', 'token_type']]);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(decodeJwt(String(body['access_token']))).toMatchObject({
    aud: resource,
    client_id: client.client_id,
    scope: 'mcp',
    tenant: acme,
  });
  expect(await world.audited(acme)).toEqual(['member.added ok', 'login.succeeded ok', 'token.issued ok']);
});

test('metadata says that assertions are taken', async () => {
  const answer = await fetch(`${world.url}/.well-known/oauth-authorization-server/auth`);
  expect(await answer.json()).toMatchObject({
    grant_types_supported: expect.arrayContaining([JWT_BEARER]),
    authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
  });
});

test('an assertion counts once, also of many at once', async () => {
  const assertion = await company.sign(claimsWith(), ID_JAG);
  const answers = await Promise.all(Array.from({ length: 8 }, () => bring(assertion)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  const again = await bring(assertion);
  expect([again.status, again.body]).toEqual([
    400,
    { error: 'invalid_grant', error_description: 'The assertion was used before.' },
  ]);
});

test('is still used up after a restart', async () => {
  const assertion = await company.sign(claimsWith(), ID_JAG);
  expect((await bring(assertion)).status).toBe(200);
  await world.restart();
  expect((await bring(assertion)).body).toMatchObject({ error: 'invalid_grant' });
});

describe('an assertion is refused with invalid_grant', () => {
  const REFUSED: Array<[string, () => Claims, object?]> = [
    ['of another type', () => ({}), { typ: 'JWT' }],
    ['without a type', () => ({}), { typ: undefined }],
    ['for another audience', () => ({ aud: 'https://evil.example' })],
    ['for several audiences', () => ({ aud: [`${world.url}/auth`, 'https://evil.example'] })],
    ['for the token endpoint instead of the issuer', () => ({ aud: `${world.url}/auth/token` })],
    ['issued to another client', () => ({ client_id: 'somebody-else' })],
    ['without a client', () => ({ client_id: undefined })],
    ['that has expired', () => ({ exp: now() - 120, iat: now() - 300 })],
    ['without an end', () => ({ exp: undefined })],
    ['that lives too long', () => ({ exp: now() + 3_600 })],
    ['from the future', () => ({ iat: now() + 300, exp: now() + 500 })],
    ['without a beginning', () => ({ iat: undefined })],
    ['without an id', () => ({ jti: undefined })],
    ['with an empty id', () => ({ jti: '' })],
    ['without a subject', () => ({ sub: undefined })],
    ['without a resource', () => ({ resource: undefined })],
    ['for several resources', () => ({ resource: [`${world.url}/t/acme/mcp`, `${world.url}/t/twin/mcp`] })],
    ['of an unknown issuer', () => ({ iss: 'https://evil.example' })],
    ['that names another tenant’s provider as its issuer', () => ({ iss: other.issuer })],
    ['for a URL of another tenant', () => ({ resource: `${world.url}/t/twin/mcp` })],
    [
      'for another tenant under its provider’s name',
      () => ({ resource: `${world.url}/t/twin/mcp`, iss: other.issuer }),
    ],
  ];

  test.each(REFUSED)('%s', async (_, changes, header = ID_JAG) => {
    const before = (await world.owner.query(`select 1 from members`)).rowCount;
    const { status, body } = await exchange(changes(), header);
    expect([status, body['error'], typeof body['error_description']]).toEqual([400, 'invalid_grant', 'string']);
    expect((await world.owner.query(`select 1 from members`)).rowCount).toBe(before);
  });

  test.each([
    ['that nobody signed', () => new UnsecuredJWT(claimsWith()).encode()],
    ['that another provider signed', () => other.sign(claimsWith(), ID_JAG)],
    ['that is no JWT', () => 'nonsense'],
  ])('%s', async (_, make) => {
    expect((await bring(await make())).body).toMatchObject({ error: 'invalid_grant' });
  });
});

test('a resource that does not exist is an invalid target, and so is another than the assertion’s', async () => {
  expect((await exchange({ resource: `${world.url}/t/nobody/mcp` })).body).toMatchObject({ error: 'invalid_target' });
  const assertion = await company.sign(claimsWith(), ID_JAG);
  const elsewhere = await bring(assertion, { resource: `${world.url}/t/twin/mcp` });
  expect(elsewhere.body).toMatchObject({ error: 'invalid_target' });
  expect((await bring(assertion, { resource })).status).toBe(200);
});

test('more than the assertion allows is an invalid scope, and costs it nothing', async () => {
  const assertion = await company.sign(claimsWith({ scope: 'mcp' }), ID_JAG);
  expect((await bring(assertion, { scope: 'mcp management' })).body).toMatchObject({ error: 'invalid_scope' });
  expect((await bring(assertion, { scope: 'mcp' })).status).toBe(200);
});

test('an assertion for the management API is refused, whoever it is about: there people sign in themselves', async () => {
  for (const scope of ['management', undefined]) {
    const { status, body } = await exchange({ resource: `${world.url}/v1/tenants/acme`, scope, groups: ['admins'] });
    expect([status, body]).toEqual([
      400,
      { error: 'invalid_target', error_description: expect.stringContaining('Ask the person to sign in') },
    ]);
  }
});

test('a missing assertion is an invalid request', async () => {
  expect((await world.token(client, { grant_type: JWT_BEARER })).body).toMatchObject({ error: 'invalid_request' });
});

test('a client without credentials, or with wrong ones, brings nothing', async () => {
  const open = await world.register({ grant_types: ['authorization_code', JWT_BEARER] });
  const assertion = await company.sign(claimsWith({ client_id: open.client_id }), ID_JAG);
  const fields = { grant_type: JWT_BEARER, assertion };
  expect((await world.token(open, fields)).body).toMatchObject({ error: 'unauthorized_client' });
  const wrong = await world.token({ ...client, client_secret: 'wrong' }, { grant_type: JWT_BEARER, assertion });
  expect([wrong.status, wrong.body['error']]).toEqual([401, 'invalid_client']);
});

test('a tenant that has not opted in takes none', async () => {
  await world.owner.query(`update identity_providers set accepts_assertions = false where id = $1`, [provider]);
  const answer = await exchange();
  await world.owner.query(`update identity_providers set accepts_assertions = true where id = $1`, [provider]);
  expect(answer.body).toMatchObject({ error: 'invalid_grant' });
});

test('groups in the assertion change the role; left out, the last sign-in counts', async () => {
  const roles = async () =>
    (await world.owner.query(`select role from members where tenant_id = $1`, [acme])).rows.map(({ role }) => role);
  await exchange({ groups: ['engineers'] });
  expect(await roles()).toEqual(['developer']);
  await exchange();
  expect(await roles()).toEqual(['developer']);
  await exchange({ groups: [] });
  expect(await roles()).toEqual(['user']);
});

test('while the issuer is away and its keys are unknown, the answer says to try again', async () => {
  await company.stop();
  await world.restart();
  const assertion = await other.sign(claimsWith(), ID_JAG);
  const answer = await bring(assertion);
  expect([answer.status, answer.body['error']]).toEqual([503, 'temporarily_unavailable']);
  await company.restart();
});
