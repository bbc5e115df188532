import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  AuthWorld,
  locationOf,
  loginFields,
  WEB_CLIENT,
  type Answered,
  type TestClient,
} from '../testing/auth-world.fixture.js';
import { addClient } from '../testing/tenant-clients.fixture.js';
import { TOKEN_EXCHANGE } from './grant-type.js';

const ANA = 'ana@acme.example';

let world: AuthWorld;
let agent: TestClient;
let exchanger: TestClient;
let orders: string;

beforeAll(async () => {
  world = await AuthWorld.open();
  const acme = await world.addTenant('acme');
  for (const slug of ['orders', 'billing', 'mail']) await world.addServer(acme, slug);
  await world.addPerson(ANA, { [acme]: 'user' });
  orders = `${world.url}/t/acme/orders/mcp`;
  agent = await world.register(WEB_CLIENT);
  exchanger = await addClient(world, acme);
});

beforeEach(() => nameActors([exchanger]));

afterAll(() => world.close());

function nameActors(clients: readonly TestClient[]): Promise<unknown> {
  return world.owner.query(
    `update servers set exchange_clients = $1, exchange_servers = '{billing,mail}' where slug = 'orders'`,
    [clients.map((client) => client.client_id)],
  );
}

function exchange(subject: string, resource = `${world.url}/t/acme/billing/mcp`): Promise<Answered> {
  return world.token(exchanger, {
    grant_type: TOKEN_EXCHANGE,
    subject_token: subject,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource,
  });
}

describe('what a person was never told', () => {
  const passOnTo = (servers: string): Promise<unknown> =>
    world.owner.query(`update servers set exchange_servers = $1 where slug = 'orders'`, [servers]);

  test('is not exchanged, however the agent goes on with what it has', async () => {
    await nameActors([]);
    const { body } = await world.signedIn(agent, orders, ANA);
    await nameActors([exchanger]);
    const refreshed = await world.refresh(agent, body['refresh_token'], orders);
    for (const token of [body['access_token'], refreshed.body['access_token']]) {
      const refused = await exchange(String(token));
      expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_target']);
      expect(refused.body['error_description']).toContain('connect again');
    }
  });

  test('is asked for again, and what was told before still is', async () => {
    await passOnTo('{billing}');
    const [browser, app] = [world.browser(), await world.register(WEB_CLIENT)];
    const location = await world.authorize(app, orders, ANA, browser);
    const { body } = await world.redeem(app, location.searchParams.get('code'), orders);
    await passOnTo('{billing,mail}');
    const mail = `${world.url}/t/acme/mail/mcp`;
    const old = String(body['access_token']);
    expect((await exchange(old)).status).toBe(200);
    expect((await exchange(old, mail)).body['error']).toBe('invalid_target');
    const silent = await browser.open(world.authorizeUrl(app, orders, { prompt: 'none' }));
    expect(locationOf(silent).searchParams.get('error')).toBe('consent_required');
    const asked = await browser.open(world.authorizeUrl(app, orders));
    expect(asked.text).toContain('billing, mail');
    const allowed = await browser.submit(asked, { action: 'allow' });
    const next = await world.redeem(app, locationOf(allowed).searchParams.get('code'), orders);
    expect((await exchange(String(next.body['access_token']), mail)).status).toBe(200);
    const remembered = await browser.open(world.authorizeUrl(app, orders, { prompt: 'none' }));
    expect(locationOf(remembered).searchParams.get('code')).not.toBeNull();
  });

  test('does not slip in while the page is open', async () => {
    await passOnTo('{billing}');
    const browser = world.browser();
    const other = await world.register(WEB_CLIENT);
    const login = await browser.open(world.authorizeUrl(other, orders));
    const page = await browser.submit(login, loginFields(ANA));
    await passOnTo('{billing,mail}');
    const allowed = await browser.submit(page, { action: 'allow' });
    const { body } = await world.redeem(other, locationOf(allowed).searchParams.get('code'), orders);
    const subject = String(body['access_token']);
    expect((await exchange(subject)).status).toBe(200);
    expect((await exchange(subject, `${world.url}/t/acme/mail/mcp`)).body['error']).toBe('invalid_target');
  });
});
