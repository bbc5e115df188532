import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { until } from '#libs/testing';
import { Client } from 'pg';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { modern, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

let gateway: GatewayUnderTest;
let upstream: Listening;
let acme: TenantUnderTest;
let account: string;

/** Behind a balancer, in a region, with a person of a group. */
beforeAll(async () => {
  upstream = await listen((_request, response) =>
    response.setHeader('content-type', 'application/json').end('{"done":true}'),
  );
  gateway = await GatewayUnderTest.start({ WHARF_REGION: 'eu', WHARF_TRUST_PROXY: 'true' });
  acme = await gateway.tenant('acme', { find: `${upstream.origin}/find`, write_off: `${upstream.origin}/off` });
  await gateway.allow(acme, upstream);
  const owner = new Client({ connectionString: gateway.store.databaseUrl });
  await owner.connect();
  account = newId();
  await owner.query(`update servers set writes = true where tenant_id = $1`, [acme.id]);
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, 'ana@example.com', 'x')`, [account]);
  await owner.query(
    `insert into members (tenant_id, account_id, role, groups) values ($1, $2, 'developer', '{staff}')`,
    [acme.id, account],
  );
  await owner.end();
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

interface Asking {
  readonly tool?: string;
  readonly given?: object;
  /** As the balancer was told, and what the client claimed before it. */
  readonly forwarded?: string;
  readonly token?: string;
}

async function status({
  tool = 'find',
  given = {},
  forwarded = '203.0.113.7',
  token = acme.key,
}: Asking): Promise<number> {
  const { headers, body } = modern('tools/call', { name: tool, arguments: given });
  const asked = { ...headers, authorization: `Bearer ${token}`, 'x-forwarded-for': forwarded };
  return (await send(acme.serverUrl, { headers: asked, body })).status;
}

const personToken = () =>
  gateway.token(acme, acme.serverUrl, { sub: account, client_id: 'desk-app', scope: 'orders:read orders:write' });

async function rule(expression: string): Promise<void> {
  await gateway.control.asTenant(acme.id, async (tx) => {
    await tx.query(`delete from policies where tenant_id = $1`, [acme.id]);
    await tx.query(
      `insert into policies (tenant_id, name, priority, enabled, scope, effect, expression, servers, approval_seconds, self_approval)
       values ($1, 'rule', 100, true, 'tool_calls', 'deny', $2, '{}', 900, false)`,
      [acme.id, expression],
    );
  });
}

const hour = new Date().getUTCHours();

test.each<[string, string, Asking & { readonly person?: true }, Asking & { readonly person?: true }]>([
  ['kind', 'principal.kind == "person"', { person: true }, {}],
  ['group', '"staff" in principal.groups', { person: true }, {}],
  ['role', 'principal.role == "developer"', { person: true }, {}],
  ['client', 'client.id == "desk-app"', { person: true }, {}],
  ['tool', 'tool.server == "orders" && tool.name == "find"', {}, { tool: 'write_off' }],
  ['access', 'tool.access == "write" && tool.destructive', { tool: 'write_off' }, {}],
  [
    'arguments',
    'has(arguments.text) && arguments.text.startsWith("x")',
    { given: { text: 'xy' } },
    { given: { text: 'y' } },
  ],
  [
    'address behind a balancer',
    'inNetwork(source.address, "198.51.100.0/24")',
    { forwarded: '203.0.113.7, 198.51.100.9' },
    // What a client claims before the balancer's word counts for nothing.
    { forwarded: '198.51.100.9, 203.0.113.7' },
  ],
  ['time', `now.getHours("UTC") in [${hour}, ${(hour + 1) % 24}] && tool.name == "find"`, {}, { tool: 'write_off' }],
  ['region', 'region == "eu" && tool.name == "find"', {}, { tool: 'write_off' }],
])('a rule asks about the %s of a call', async (_input, expression, denied, allowed) => {
  await rule(expression);
  const asked = async ({ person, ...asking }: Asking & { readonly person?: true }) =>
    status({ ...asking, ...(person === undefined ? {} : { token: await personToken() }) });
  await until(async () => (await asked(denied)) === 403, 'the rule is heard of');
  expect(await asked(allowed)).toBe(200);
});
