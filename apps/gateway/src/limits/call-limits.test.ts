import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { modern, send, type Answer } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

let gateway: GatewayUnderTest;
let upstream: Listening;

beforeAll(async () => {
  upstream = await listen((_request, response) => response.setHeader('content-type', 'application/json').end('{}'));
  gateway = await GatewayUnderTest.start();
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

interface Written {
  readonly per?: readonly string[];
  readonly tools?: readonly string[];
  readonly clients?: readonly string[];
  readonly calls: number;
}

async function limit(tenant: TenantUnderTest, name: string, { per = [], tools = ['*'], clients = [], calls }: Written) {
  await gateway.control.asTenant(tenant.id, (tx) =>
    tx.query(
      `insert into call_limits (tenant_id, name, per, server, tools, clients, calls, window_seconds, when_uncertain)
       values ($1, $2, $3, 'orders', $4, $5, $6, 3600, 'allow')`,
      [tenant.id, name, per, tools, clients, calls],
    ),
  );
}

function call(tenant: TenantUnderTest, tool: string): Promise<Answer> {
  const message = modern('tools/call', { name: tool, arguments: {} }, 5);
  return send(tenant.serverUrl, { headers: { ...message.headers, 'x-api-key': tenant.key }, body: message.body });
}

async function newTenant(slug: string): Promise<TenantUnderTest> {
  const tools = { find_book: `${upstream.origin}/a`, find_shop: `${upstream.origin}/b`, buy: `${upstream.origin}/c` };
  const tenant = await gateway.tenant(slug, tools);
  await gateway.allow(tenant, upstream);
  return tenant;
}

test('a tool is called as often as its tenant says, each tool apart, and the refusal says which limit and when', async () => {
  const [tenant, other] = [await newTenant('limited'), await newTenant('unlimited')];
  await limit(tenant, 'finding', { per: ['tool'], tools: ['find_*'], calls: 2 });
  const statuses: number[] = [];
  for (const tool of ['find_book', 'find_book', 'find_shop', 'buy', 'buy', 'buy'])
    statuses.push((await call(tenant, tool)).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
  const refused = await call(tenant, 'find_book');
  expect(refused.status).toBe(429);
  expect(refused.headers['ratelimit-policy']).toBe('"finding";q=2;w=3600');
  expect(refused.headers['ratelimit']).toBe(`"finding";r=0;t=${refused.headers['retry-after']}`);
  expect(refused.json).toMatchObject({ id: 5, error: { code: -31029, message: expect.stringContaining('"finding"') } });
  expect((await call(tenant, 'find_shop')).status).toBe(200);
  expect((await call(other, 'find_book')).status).toBe(200);
  const record = await gateway.audited(tenant, ({ event }) => event === 'call.refused');
  expect(record.details).toMatchObject({ name: 'find_book', rule: 'call_limit:finding', http_status: 429 });
});

test('a limit is of those clients that it names', async () => {
  const tenant = await newTenant('named');
  await limit(tenant, 'others', { clients: ['https://elsewhere.test/client'], calls: 1 });
  for (let count = 0; count < 3; count += 1) expect((await call(tenant, 'buy')).status).toBe(200);
  expect((await call(tenant, 'unknown')).status).toBe(200);
});
