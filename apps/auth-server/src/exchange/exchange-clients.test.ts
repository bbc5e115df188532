import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { AuthWorld, loginFields, WEB_CLIENT, type Answered, type TestClient } from '../testing/auth-world.fixture.js';
import { newKey, proofOf } from '../testing/client-keys.fixture.js';
import { addClient, postForm } from '../testing/tenant-clients.fixture.js';
import { TOKEN_EXCHANGE } from './grant-type.js';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const ANA = 'ana@acme.example';

let world: AuthWorld;
let acme: string;
let globex: string;
let agent: TestClient;
let exchanger: TestClient;
let orders: string;
let billing: string;

beforeAll(async () => {
  world = await AuthWorld.open();
  [acme, globex] = await Promise.all([world.addTenant('acme'), world.addTenant('globex')]);
  for (const slug of ['orders', 'billing']) await world.addServer(acme, slug);
  await world.addPerson(ANA, { [acme]: 'user' });
  orders = `${world.url}/t/acme/orders/mcp`;
  billing = `${world.url}/t/acme/billing/mcp`;
  agent = await world.register(WEB_CLIENT);
  exchanger = await addClient(world, acme);
});
afterAll(() => world.close());

function nameActors(clients: readonly TestClient[]): Promise<unknown> {
  const ids = clients.map((client) => client.client_id);
  return world.owner.query(
    `update servers set exchange_clients = $1, exchange_servers = '{billing}' where slug = 'orders'`,
    [ids],
  );
}

/** A token that Ana's agent got for the server. */
async function subjectToken(): Promise<string> {
  return String((await world.signedIn(agent, orders, ANA)).body['access_token']);
}

function exchange(subject: string, by = exchanger, resource = billing): Promise<Answered> {
  return world.token(by, {
    grant_type: TOKEN_EXCHANGE,
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN,
    resource,
  });
}

describe('an exchange by a client that a tenant registered', () => {
  test('works at its own tenant, and at no other', async () => {
    const [own, foreigner] = await Promise.all([addClient(world, acme), addClient(world, globex)]);
    await nameActors([own, foreigner]);
    const subject = await subjectToken();
    const { status, body } = await exchange(subject, own);
    expect([status, decodeJwt(String(body['access_token']))['act']]).toEqual([200, { sub: own.client_id }]);
    expect((await exchange(subject, foreigner)).body['error']).toBe('invalid_target');
  });

  test('is shown with its actor to who may introspect it, and cannot be revoked by itself', async () => {
    const own = await addClient(world, acme);
    await nameActors([own]);
    const subject = await subjectToken();
    const { body } = await exchange(subject, own);
    const asked = {
      token: String(body['access_token']),
      client_id: own.client_id,
      client_secret: own.client_secret ?? '',
    };
    const shown = await world.form('/auth/introspect', asked);
    expect(shown.body).toMatchObject({ active: true, act: { sub: own.client_id }, scope: 'billing:read' });
    expect((await world.form('/auth/revoke', asked)).body['error']).toBe('unsupported_token_type');
    expect((await exchange(subject, own)).status).toBe(200);
  });

  test('of a token of a client that was disabled is refused', async () => {
    await nameActors([exchanger]);
    const app = await addClient(world, acme, { kind: 'confidential', ...WEB_CLIENT });
    const { body } = await world.signedIn(app, orders, ANA);
    expect((await exchange(String(body['access_token']))).status).toBe(200);
    await world.owner.query(`update clients set enabled = false where id = $1`, [app.client_id]);
    expect((await exchange(String(body['access_token']))).body['error']).toBe('invalid_request');
  });
});

describe('a token that is bound to a key', () => {
  test('cannot be exchanged, and none is bound by an exchange', async () => {
    await nameActors([exchanger]);
    const key = await newKey();
    const location = await world.authorize(agent, orders, ANA);
    const fields = {
      grant_type: 'authorization_code',
      client_id: agent.client_id,
      code: location.searchParams.get('code') ?? '',
      redirect_uri: WEB_CLIENT.redirect_uris[0] ?? '',
      code_verifier: world.verifier,
      resource: orders,
    };
    const dpop = await proofOf(key, `${world.url}/auth/token`);
    const bound = await postForm(world, '/auth/token', fields, { dpop });
    expect(bound.body['token_type']).toBe('DPoP');
    const answer = await exchange(String(bound.body['access_token']));
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
    expect(answer.body['error_description']).toContain('bound to a key');
    const asked = {
      grant_type: TOKEN_EXCHANGE,
      subject_token: await subjectToken(),
      subject_token_type: ACCESS_TOKEN,
      resource: billing,
      client_id: exchanger.client_id,
      client_secret: exchanger.client_secret ?? '',
    };
    const proof = await proofOf(key, `${world.url}/auth/token`);
    expect((await postForm(world, '/auth/token', asked, { dpop: proof })).body['error']).toBe('invalid_request');
  });
});

describe('an exchange goes only where the tenant lets the server go', () => {
  test('and is refused elsewhere with the words for another tenant’s server', async () => {
    await world.addServer(globex, 'ship');
    await nameActors([exchanger]);
    const subject = await subjectToken();
    expect((await exchange(subject)).body['scope']).toBe('billing:read');
    await world.owner.query(`update servers set exchange_servers = '{elsewhere}' where slug = 'orders'`);
    const refused = await exchange(subject);
    const foreign = await exchange(subject, exchanger, `${world.url}/t/globex/ship/mcp`);
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_target']);
    const byAnybody = await world.register({
      redirect_uris: [],
      grant_types: [TOKEN_EXCHANGE],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
    });
    await nameActors([byAnybody]);
    await world.owner.query(`update servers set exchange_servers = '{elsewhere}' where slug = 'orders'`);
    const other = await exchange(subject, byAnybody, `${world.url}/t/globex/ship/mcp`);
    expect([foreign.status, other.body]).toEqual([400, refused.body]);
  });

  test('which people read before they allow it', async () => {
    const consentFor = async (resource: string): Promise<string> => {
      const browser = world.browser();
      const login = await browser.open(world.authorizeUrl(await world.register(WEB_CLIENT), resource));
      return (await browser.submit(login, loginFields(ANA))).text;
    };
    await nameActors([exchanger]);
    for (const url of [orders, `${world.url}/t/acme/mcp`]) {
      expect(await consentFor(url)).toContain('orders may use billing for you');
    }
    expect(await consentFor(billing)).not.toContain('for you, with as much right');
    await nameActors([]);
    expect(await consentFor(orders)).not.toContain('for you, with as much right');
  });
});
