import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { modern, send, type Answer } from '../requests.fixture.js';

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;
const LIST = modern('tools/list');

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', { old: 'https://api.example.com/old' });
  await version('1.4.0');
  await gateway.publish(acme.id, 'orders', { fresh: 'https://api.example.com/fresh' });
  await version('2.0.0');
  await keep(`now() + interval '1 day'`);
});
afterAll(() => gateway.stop());

const tenantSql = (sql: string, values: unknown[] = []): Promise<unknown> =>
  gateway.control.asTenant(acme.id, (tx) => tx.query(sql, values));

/** Gives the live release a version. */
function version(text: string): Promise<unknown> {
  return tenantSql(`update releases set version = $1 where id = (select live_release_id from servers)`, [text]);
}

/** Keeps major version 1 until a time in SQL. */
function keep(until: string): Promise<unknown> {
  return tenantSql(`insert into server_majors (tenant_id, server_id, major, release_id, deprecated_at, served_until)
    select tenant_id, server_id, major, id, to_timestamp(1700000000), ${until} from releases where major = 1
    on conflict (tenant_id, server_id, major) do update set served_until = excluded.served_until`);
}

const at = (part: string): string => acme.serverUrl.replace('/orders/', `/${part}/`);
const call = (url: string, credential: Record<string, string> = { 'x-api-key': acme.key }): Promise<Answer> =>
  send(url, { headers: { ...LIST.headers, ...credential }, body: LIST.body });
const toolsOf = ({ json }: Answer): string[] => json.result.tools.map((tool: { name: string }) => tool.name);

test('each major version answers at its own URL, and the older one says until when', async () => {
  const [plain, live, older] = await Promise.all([call(at('orders')), call(at('orders@2')), call(at('orders@1'))]);
  expect([plain, live, older].map(toolsOf)).toEqual([['fresh'], ['fresh'], ['old']]);
  expect([plain.headers['deprecation'], live.headers['sunset']]).toEqual([undefined, undefined]);
  expect(older.headers['deprecation']).toBe('@1700000000');
  expect(Date.parse(older.headers['sunset'] as string)).toBeGreaterThan(Date.now());
  expect(older.headers['link']).toBe(`<${acme.serverUrl}>; rel="successor-version"`);
});

test.each(['orders@3', 'orders@01', 'orders@', 'orders@-1', 'orders@1.4', 'orders@123456', 'none@1', '@1'])(
  '%s is not there',
  async (part) => {
    expect((await call(at(part))).status).toBe(404);
  },
);

test('a major version is a resource of its own, with its metadata and its page', async () => {
  const url = at('orders@1');
  const bearer = async (audience: string) => ({ authorization: `Bearer ${await gateway.token(acme, audience)}` });
  expect((await call(url, await bearer(url))).status).toBe(200);
  expect((await call(url, await bearer(acme.serverUrl))).status).toBe(401);
  expect((await call(acme.serverUrl, await bearer(url))).status).toBe(401);
  const where = (await call(url, {})).headers['www-authenticate'] ?? '';
  const metadata = `${gateway.origin}/.well-known/oauth-protected-resource/t/acme/orders@1/mcp`;
  expect(where).toContain(`resource_metadata="${metadata}"`);
  expect((await send(metadata, { method: 'GET' })).json).toMatchObject({
    resource: url,
    resource_name: 'Tenant acme: orders 1',
  });
  const page = await send(url, { method: 'GET', headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } });
  expect([page.status, page.text.includes(url)]).toEqual([200, true]);
});

test('a major version whose time is over is gone, also for the gateway that had served it', async () => {
  await keep(`now() + interval '600 milliseconds'`);
  const gone = async (): Promise<Answer> => {
    for (;;) {
      const answer = await call(at('orders@1'));
      if (answer.status !== 200) return answer;
    }
  };
  expect((await gone()).status).toBe(404);
  const metadata = `${gateway.origin}/.well-known/oauth-protected-resource/t/acme/orders@1/mcp`;
  expect((await send(metadata, { method: 'GET' })).status).toBe(404);
  expect((await call(at('orders'))).status).toBe(200);
});
