import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import {
  AuthWorld,
  locationOf,
  loginFields,
  WEB_CLIENT,
  type Answered,
  type TestClient,
} from '../testing/auth-world.fixture.js';
import { TOKEN_EXCHANGE } from './grant-type.js';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const ANA = 'ana@acme.example';

let world: AuthWorld;
let acme: string;
let agent: TestClient;
let exchanger: TestClient;
let orders: string;
let billing: string;
let foreign: string;

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme');
  const globex = await world.addTenant('globex');
  for (const slug of ['orders', 'billing', 'mail']) await world.addServer(acme, slug);
  await world.addServer(globex, 'ship');
  await world.owner.query(`update servers set writes = true`);
  await world.addPerson(ANA, { [acme]: 'user', [globex]: 'user' });
  orders = `${world.url}/t/acme/orders/mcp`;
  billing = `${world.url}/t/acme/billing/mcp`;
  foreign = `${world.url}/t/globex/ship/mcp`;
  agent = await world.register(WEB_CLIENT);
  exchanger = await newExchanger();
});

beforeEach(() => nameActors('orders', [exchanger]));

afterAll(() => world.close());

function newExchanger(): Promise<TestClient> {
  return world.register({
    redirect_uris: [],
    grant_types: [TOKEN_EXCHANGE],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_post',
  });
}

function nameActors(slug: string, clients: readonly TestClient[]): Promise<unknown> {
  return world.owner.query(
    `update servers set exchange_clients = $2, exchange_servers = '{orders,billing,mail}' where slug = $1`,
    [slug, clients.map((client) => client.client_id)],
  );
}

/** A token that Ana's agent got for a server. */
async function subjectToken(resource = orders, scope = 'orders:read'): Promise<string> {
  const browser = world.browser();
  let page = await browser.open(world.authorizeUrl(agent, resource, { scope }));
  if (page.text.includes('name="password"')) page = await browser.submit(page, loginFields(ANA));
  if (page.text.includes('value="allow"')) page = await browser.submit(page, { action: 'allow' });
  const { body } = await world.redeem(agent, locationOf(page).searchParams.get('code'), resource);
  return String(body['access_token']);
}

function exchange(subject: string, changes: Readonly<Record<string, string>> = {}, by = exchanger): Promise<Answered> {
  return world.token(by, {
    grant_type: TOKEN_EXCHANGE,
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN,
    resource: billing,
    ...changes,
  });
}

describe('an exchange', () => {
  test('gives a token for the other server that says who acts for whom, on the same grant, no longer than the subject', async () => {
    const subject = await subjectToken();
    const before = decodeJwt(subject);
    const { status, body } = await exchange(subject);
    expect([status, body]).toEqual([
      200,
      {
        access_token: expect.any(String),
        issued_token_type: ACCESS_TOKEN,
        token_type: 'Bearer',
        expires_in: expect.any(Number),
        scope: 'billing:read',
      },
    ]);
    const claims = decodeJwt(String(body['access_token']));
    expect(claims).toMatchObject({
      aud: billing,
      tenant: acme,
      sub: before.sub,
      client_id: exchanger.client_id,
      scope: 'billing:read',
      gid: before['gid'],
      act: { sub: exchanger.client_id },
    });
    expect(claims.exp).toBeLessThanOrEqual(Number(before.exp));
    const { rows } = await world.owner.query(
      `select actor, details from audit_records where tenant_id = $1 and event = 'token.issued' order by id desc limit 1`,
      [acme],
    );
    expect(rows[0]).toMatchObject({
      actor: { kind: 'person', id: before.sub, client: exchanger.client_id },
      details: { resource: billing, acting: [exchanger.client_id], grant: TOKEN_EXCHANGE },
    });
    const held = await world.owner.query(`select resource, scope from grants where id = $1`, [before['gid']]);
    expect(held.rows).toEqual([{ resource: orders, scope: 'orders:read' }]);
  });

  test('can be repeated with what it gave, and keeps everybody who acted', async () => {
    const second = await newExchanger();
    await nameActors('billing', [second]);
    const first = await exchange(await subjectToken());
    const nested = await exchange(
      String(first.body['access_token']),
      { resource: `${world.url}/t/acme/mail/mcp` },
      second,
    );
    expect(decodeJwt(String(nested.body['access_token']))).toMatchObject({
      scope: 'mail:read',
      act: { sub: second.client_id, act: { sub: exchanger.client_id } },
    });
    await nameActors('billing', []);
  });

  test('never goes round for ever', async () => {
    await nameActors('billing', [exchanger]);
    let token = await subjectToken();
    const statuses: number[] = [];
    for (let at = 0; at < 5; at += 1) {
      const answer = await exchange(token, { resource: at % 2 === 0 ? billing : orders });
      statuses.push(answer.status);
      token = String(answer.body['access_token']);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 400]);
    await nameActors('billing', []);
  });
});

describe('never widens', () => {
  test.each([
    ['orders:read', undefined, 'billing:read'],
    ['orders:read', 'billing:write', 'invalid_scope'],
    ['orders:read', 'billing:read billing:write', 'invalid_scope'],
    ['orders:read', 'mcp', 'invalid_scope'],
    ['orders:write', undefined, 'billing:read'],
    ['orders:write', 'billing:write', 'billing:write'],
    ['mcp', 'billing:write billing:read', 'billing:write billing:read'],
    ['mcp', 'mcp', 'invalid_scope'],
    ['mcp:read', 'billing:read', 'billing:read'],
    ['mcp:read', 'billing:write', 'invalid_scope'],
    ['orders:refunds', undefined, 'invalid_scope'],
  ])('from %s, asking for %s: %s', async (held, asked, expected) => {
    await world.owner.query(`update servers set tool_groups = '{"refunds": ["refund"]}' where slug = 'orders'`);
    const { body } = await exchange(await subjectToken(orders, held), asked === undefined ? {} : { scope: asked });
    expect(body['error'] ?? body['scope']).toBe(expected);
  });

  test('nor lets a server write that its tenant keeps read-only', async () => {
    await world.owner.query(`update servers set writes = false where slug = 'billing'`);
    const { body } = await exchange(await subjectToken(orders, 'mcp'), { scope: 'billing:write' });
    expect(body['error']).toBe('invalid_scope');
    await world.owner.query(`update servers set writes = true where slug = 'billing'`);
  });
});

describe('is refused', () => {
  test.each<[string, Record<string, string>, string]>([
    ['without a resource', { resource: '' }, 'invalid_target'],
    ['for another tenant’s server', { resource: 'foreign' }, 'invalid_target'],
    ['for the tenant’s own URL', { resource: 'tenant' }, 'invalid_target'],
    ['for the management API', { resource: 'management' }, 'invalid_target'],
    ['for the server it is for already', { resource: 'orders' }, 'invalid_target'],
    ['with an audience', { audience: 'billing' }, 'invalid_target'],
    ['with an actor token', { actor_token: 'x', actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
    ['for an identity token', { requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'invalid_request'],
    ['with another kind of subject', { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' }, 'invalid_request'],
    ['with nonsense as subject', { subject_token: 'nonsense' }, 'invalid_request'],
    ['with no subject', { subject_token: '' }, 'invalid_request'],
  ])('%s', async (_, changes, error) => {
    const places: Record<string, string> = {
      foreign,
      orders,
      tenant: `${world.url}/t/acme/mcp`,
      management: `${world.url}/v1/tenants/acme`,
    };
    const given = changes['resource'];
    const resource = given === undefined ? {} : { resource: places[given] ?? given };
    const answer = await exchange(await subjectToken(), { ...changes, ...resource });
    expect([answer.status, answer.body['error']]).toEqual([400, error]);
    expect(answer.headers.get('cache-control')).toContain('no-store');
  });

  test('from a tenant’s token at another tenant’s server, which is answered as one that does not exist', async () => {
    const subject = await subjectToken();
    const [other, none] = [
      await exchange(subject, { resource: foreign }),
      await exchange(subject, { resource: `${world.url}/t/acme/none/mcp` }),
    ];
    expect([other.body['error'], none.body['error']]).toEqual(['invalid_target', 'invalid_target']);
    expect(JSON.stringify(other.body)).not.toContain('globex');
  });

  test('to a client that the tenant does not name, one without a secret, or one with a wrong secret', async () => {
    const subject = await subjectToken();
    const stranger = await newExchanger();
    expect((await exchange(subject, {}, stranger)).body['error']).toBe('unauthorized_client');
    const open = await world.register({ grant_types: ['authorization_code', TOKEN_EXCHANGE] });
    await nameActors('orders', [open]);
    expect((await exchange(subject, {}, open)).body['error']).toBe('unauthorized_client');
    const wrong = await exchange(subject, { client_secret: 'wrong' });
    expect([wrong.status, wrong.body['error']]).toEqual([401, 'invalid_client']);
  });

  test('once the caller revoked the grant, or left the tenant', async () => {
    const subject = await subjectToken();
    await world.owner.query(`update grants set revoked_at = now() where id = $1`, [decodeJwt(subject)['gid']]);
    expect((await exchange(subject)).body['error']).toBe('invalid_request');
    const later = await subjectToken();
    await world.owner.query(`delete from members where tenant_id = $1`, [acme]);
    expect((await exchange(later)).body['error']).toBe('invalid_request');
    await world.owner.query(`insert into members (tenant_id, account_id, role) select $1, id, 'user' from accounts`, [
      acme,
    ]);
  });
});
