import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { modern, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

let gateway: GatewayUnderTest;
let upstream: Listening;
let own: TenantUnderTest;
let twin: TenantUnderTest;

interface Row {
  readonly server: string;
  readonly tool: string;
  readonly calls: number;
  readonly tool_errors: number;
  readonly unknown_tools: number;
  readonly corrections: number;
  readonly repeats: number;
  readonly counted: number;
}

beforeAll(async () => {
  let asked = 0;
  upstream = await listen((request, response) => {
    if (request.url?.startsWith('/shaky') === true && asked++ === 0) return void response.writeHead(500).end();
    return void response.setHeader('content-type', 'application/json').end('{}');
  });
  gateway = await GatewayUnderTest.start();
  const tools = { find: `${upstream.origin}/find`, shaky: `${upstream.origin}/shaky` };
  [own, twin] = [await gateway.tenant('own', tools), await gateway.tenant('twin', tools)];
  await Promise.all([gateway.allow(own, upstream), gateway.allow(twin, upstream)]);
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

async function call(tenant: TenantUnderTest, name: string): Promise<void> {
  const { headers, body } = modern('tools/call', { name, arguments: {} });
  await send(tenant.serverUrl, { headers: { ...headers, authorization: `Bearer ${tenant.key}` }, body });
}

function rowsOf(tenant: TenantUnderTest): Promise<Row[]> {
  return gateway.control.asTenant(tenant.id, (tx) =>
    tx.query(
      `select server, tool, sum(calls)::int as calls, sum(tool_errors)::int as tool_errors,
         sum(unknown_tools)::int as unknown_tools, sum(corrections)::int as corrections, sum(repeats)::int as repeats,
         sum((select sum(n) from unnest(buckets) as n))::int as counted
       from call_rollups group by server, tool order by server, tool`,
    ),
  );
}

test('calls are summed up by tool for their own tenant, over restarts, and names of no tool together', async () => {
  for (const name of ['shaky', 'shaky', 'find', 'find', 'canary-no-tool']) await call(own, name);
  await call(twin, 'find');
  await gateway.restart(); // writes what there is
  await call(own, 'find');
  await gateway.restart();
  const none = { tool_errors: 0, unknown_tools: 0, corrections: 0, repeats: 0 };
  expect(await rowsOf(own)).toEqual([
    { ...none, server: '', tool: 'other', calls: 1, unknown_tools: 1, counted: 1 },
    { ...none, server: 'orders', tool: 'find', calls: 3, repeats: 1, counted: 3 },
    { ...none, server: 'orders', tool: 'shaky', calls: 2, tool_errors: 1, corrections: 1, repeats: 1, counted: 2 },
  ]);
  expect(await rowsOf(twin)).toEqual([{ ...none, server: 'orders', tool: 'find', calls: 1, counted: 1 }]);
});
