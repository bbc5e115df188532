import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openBrowser, photograph } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { send, type Answer } from '../requests.fixture.js';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start({ WHARF_BASE_DOMAIN: 'wharf.test' });
  acme = await gateway.tenant('acme', { find_secret_plans: 'https://api.example.com/find' });
});

afterAll(() => gateway.stop());

function visit(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return send(url, { method: 'GET', headers: { accept: BROWSER, ...headers } });
}

describe('a browser at a tenant URL', () => {
  test('is shown what the URL is and how to connect, with the URL to copy', async () => {
    const page = await visit(acme.serverUrl);
    expect([page.status, page.headers['content-type'], page.headers['www-authenticate']]).toEqual([
      200,
      'text/html; charset=utf-8',
      undefined,
    ]);
    expect(page.text).toContain('This is an MCP URL');
    expect(page.text).toContain(`value="${acme.serverUrl}"`);
    expect(page.text).toContain(`claude mcp add --transport http acme-orders ${acme.serverUrl}`);
    for (const client of ['Claude', 'ChatGPT', 'Cursor', 'VS Code', 'Claude Code']) {
      expect(page.text).toContain(`<h2>${client}</h2>`);
    }
  });

  test('is told so in the language it asks for, on the page of what does not exist too', async () => {
    const german = { 'accept-language': 'de-CH, en;q=0.5' };
    const page = await visit(acme.serverUrl, german);
    expect(page.text).toContain('<html lang="de">');
    expect(page.text).toContain('Verbinden Sie Ihren Agenten mit');
    expect((await visit(`${acme.url}x`, german)).text).toContain('Hier wurde nichts gefunden');
    expect((await visit(acme.serverUrl, { 'accept-language': 'de;q=0, fr' })).text).toContain('<html lang="en">');
  });

  test('gets a page that loads and runs nothing, cannot be framed, and is kept by no cache', async () => {
    const { headers, text } = await visit(acme.url);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect([headers['cache-control'], headers['vary'], headers['x-content-type-options']]).toEqual([
      'no-store',
      'Accept, Accept-Language, Origin',
      'nosniff',
    ]);
    expect(text).not.toContain('<script');
  });

  test('learns nothing of the tenant but its name, and nothing of the request is repeated', async () => {
    const { text } = await visit(`${acme.url}?note=<canary>`);
    expect(text).toContain('Connect your agent to Tenant acme');
    expect(text).not.toContain('canary');
    for (const hidden of [acme.id, acme.keyId, 'find_secret_plans', 'orders', 'example.com']) {
      expect(text).not.toContain(hidden);
    }
  });

  test('cannot have a tenant’s name become markup', async () => {
    const loud = await gateway.tenant('loud', {});
    await gateway.control.asTenant(loud.id, (tx) =>
      tx.query(`update tenants set name = '<b>"Loud"</b>' where id = $1`, [loud.id]),
    );
    const page = await visit(loud.url);
    expect(page.text).toContain('&lt;b&gt;&quot;Loud&quot;&lt;/b&gt;');
    expect(page.text).not.toContain('<b>');
  });

  test('is told the URL of the form it used', async () => {
    const page = await visit(`${gateway.origin}/mcp`, { host: 'acme.wharf.test' });
    expect(page.text).toContain('value="http://acme.wharf.test/mcp"');
  });

  test('gets one and the same 404 page for whatever does not exist', async () => {
    const pages = await Promise.all(
      ['/t/nobody/mcp', '/t/acme/unknown/mcp', '/t/acme', '/t/ACME/mcp'].map((path) =>
        visit(`${gateway.origin}${path}`),
      ),
    );
    const [first] = pages;
    expect(first?.text).toContain('Nothing was found here');
    const { date: _date, ...headers } = first?.headers ?? {};
    for (const page of pages) expect(page).toMatchObject({ status: 404, text: first?.text, headers });
  });

  test('is told where a tenant is suspended, and where a credential stands in the URL', async () => {
    const paused = await gateway.tenant('paused', {});
    await gateway.operators.asService((tx) =>
      tx.query(`update tenants set status = 'suspended' where id = $1`, [paused.id]),
    );
    const refused = await visit(paused.url);
    expect([refused.status, refused.headers['content-type']]).toEqual([403, 'text/html; charset=utf-8']);
    const leaked = await visit(`${acme.url}?api_key=${acme.key}`);
    expect([leaked.status, leaked.text.includes(acme.key)]).toEqual([400, false]);
  });

  test('is read in Chromium by headings and label, without a complaint, in both colour schemes', async () => {
    const chromium = await openBrowser();
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await (await chromium.newContext({ colorScheme, javaScriptEnabled: false })).newPage();
        const complaints: string[] = [];
        page.on('console', (message) => complaints.push(message.text()));
        await page.goto(acme.url);
        expect(await page.title()).toBe('Connect to Tenant acme – Wharf');
        expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
        expect(await page.getByRole('heading', { level: 2 }).count()).toBe(6);
        await page.keyboard.press('Tab');
        expect(await page.locator(':focus').inputValue()).toBe(acme.url);
        expect(await page.getByLabel('URL to copy').count()).toBe(1);
        expect(complaints).toEqual([]);
        if (colorScheme === 'light') await photograph(page, 'connect');
      }
    } finally {
      await chromium.close();
    }
  });
});

describe('everybody else at a tenant URL is asked for a credential first', () => {
  test.each<[string, string, Record<string, string>]>([
    ['an agent that listens', 'GET', { accept: 'text/event-stream' }],
    ['an agent that names HTML last', 'GET', { accept: 'text/event-stream, text/html;q=0.5' }],
    ['an agent that wants JSON as much', 'GET', { accept: 'application/json, text/html' }],
    ['a program that accepts anything', 'GET', { accept: '*/*' }],
    ['a program that says nothing', 'GET', {}],
    ['a program that refuses HTML', 'GET', { accept: 'text/html;q=0' }],
    ['a browser with a token', 'GET', { accept: BROWSER, authorization: 'Bearer nothing' }],
    ['a browser with a key', 'GET', { accept: BROWSER, 'x-api-key': 'whk_nothing' }],
    ['a form', 'POST', { accept: BROWSER }],
    ['an end of a session', 'DELETE', { accept: BROWSER }],
  ])('%s', async (_, method, headers) => {
    const answer = await send(acme.url, { method, headers });
    expect([answer.status, answer.headers['content-type']]).toEqual([401, 'application/json; charset=utf-8']);
    expect(answer.headers['www-authenticate']).toContain('resource_metadata=');
  });
});
