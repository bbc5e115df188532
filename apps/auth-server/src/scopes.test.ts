import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuthWorld, locationOf, loginFields, WEB_CLIENT, type TestClient } from './testing/auth-world.fixture.js';
import { refusalBehind, type Browser, type Visited } from './testing/browser.fixture.js';

let world: AuthWorld;
let acme: string;
let tenantUrl: string;
let orders: string;
let client: TestClient;

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme', 'Acme Inc.');
  await world.addServer(acme, 'orders');
  await world.addServer(acme, 'billing');
  await world.addPerson('ana@acme.example', { [acme]: 'user' });
  tenantUrl = `${world.url}/t/acme/mcp`;
  orders = `${world.url}/t/acme/orders/mcp`;
  client = await world.register(WEB_CLIENT);
});

afterAll(() => world.close());

function change(slug: string, writes: boolean, groups: Record<string, string[]> = {}): Promise<unknown> {
  return world.owner.query(`update servers set writes = $2, tool_groups = $3 where slug = $1`, [
    slug,
    writes,
    JSON.stringify(groups),
  ]);
}

/** The page or redirect that a signed-in person's browser comes to. */
async function ask(scope: string | null, resource = orders, browser = world.browser(), of = client): Promise<Visited> {
  const page = await browser.open(world.authorizeUrl(of, resource, { scope }));
  return page.text.includes('name="password"') ? browser.submit(page, loginFields('ana@acme.example')) : page;
}

async function allowed(page: Visited, browser: Browser, resource = orders, of = client) {
  const sent = page.text.includes('value="allow"') ? await browser.submit(page, { action: 'allow' }) : page;
  return world.redeem(of, locationOf(sent).searchParams.get('code'), resource);
}

async function granted(scope: string | null, resource = orders, of = client): Promise<unknown> {
  const browser = world.browser();
  return (await allowed(await ask(scope, resource, browser, of), browser, resource, of)).body['scope'];
}

describe('what is asked for', () => {
  test('is reading where nothing is said: at a server there, at the tenant’s URL at every server', async () => {
    expect([await granted(null), await granted(null, tenantUrl)]).toEqual(['orders:read', 'mcp:read']);
  });

  test('is said in words before it is allowed', async () => {
    await change('orders', true, { refunds: ['refund_order', 'list_refunds'] });
    const wide = await world.register();
    const { text } = await ask('orders:read orders:write orders:refunds mcp mcp:read', orders, world.browser(), wide);
    for (const words of [
      'Read at orders: call its tools that change nothing.',
      'Read and write at orders: call all its tools, also those that change or delete things.',
      '“refunds” at orders: call refund_order, list_refunds, whatever they change.',
      'Everything that the tenant offers here, now and later',
      'at every server behind this URL',
    ])
      expect(text).toContain(words);
    await change('orders', false);
  });

  test('cannot be writing until the tenant has opted in, another server’s scope, or a group that is not', async () => {
    for (const scope of ['orders:write', 'billing:read', 'orders:nothing', 'management']) {
      expect(refusalBehind(await ask(scope)).refusal).toMatch(/^invalid_scope .*orders:read/);
    }
    expect(await granted('orders:read orders:write')).toBe('orders:read');
    await change('orders', true);
    expect(await granted('orders:write')).toBe('orders:write');
    await change('orders', false);
  });

  test('at the tenant’s URL can be parts of several servers', async () => {
    expect(await granted('orders:read billing:read', tenantUrl)).toBe('billing:read orders:read');
  });
});

describe('widening', () => {
  test('works for a client that registered with less', async () => {
    await change('orders', true);
    const narrow = await world.register({ scope: 'orders:read' });
    expect(await granted('orders:read', orders, narrow)).toBe('orders:read');
    expect(await granted('orders:read orders:write', orders, narrow)).toBe('orders:read orders:write');
  });

  test('asks the person once, and narrower than what was allowed is not asked again', async () => {
    const own = await world.register(WEB_CLIENT);
    const browser = world.browser();
    const read = await allowed(await ask('orders:read', orders, browser, own), browser, orders, own);
    expect(read.body['scope']).toBe('orders:read');
    const wider = await ask('orders:write', orders, browser, own);
    expect(wider.text).toContain('Read and write at orders');
    expect((await allowed(wider, browser, orders, own)).body['scope']).toBe('orders:write');
    for (const scope of ['orders:read', 'orders:write', 'orders:read orders:write']) {
      const again = await ask(scope, orders, browser, own);
      expect((await allowed({ ...again, text: '' }, browser, orders, own)).body['scope']).toBe(scope);
    }
  });

  test('(O-15) is not done by a refresh, which says invalid_scope and stays good', async () => {
    const browser = world.browser();
    const { body } = await allowed(await ask('orders:read', orders, browser), browser);
    const refresh = (scope: string) =>
      world.token(client, {
        grant_type: 'refresh_token',
        refresh_token: String(body['refresh_token']),
        resource: orders,
        scope,
      });
    const wider = await refresh('orders:read orders:write');
    expect([wider.status, wider.body['error']]).toEqual([400, 'invalid_scope']);
    expect((await refresh('orders:read')).body['scope']).toBe('orders:read');
  });
});

test('what a server no longer offers is not in the next token', async () => {
  await change('orders', true);
  const browser = world.browser();
  const { body } = await allowed(await ask('orders:read orders:write', orders, browser), browser);
  await change('orders', false);
  expect((await world.refresh(client, body['refresh_token'], orders)).body['scope']).toBe('orders:read');
});
