import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer, type AddressInfo } from 'node:net';
import { RuntimeClient } from '#libs/protocol';
import { startUpstream, type Upstream } from './upstream.fixture.js';
import {
  callOf,
  INTAKE_KEY,
  manifestOf,
  startRuntime,
  supplierOf,
  TenantUnderTest,
  toolCall,
  type RuntimeUnderTest,
} from './worker-runtime.fixture.js';

let upstream: Upstream;
let runtime: RuntimeUnderTest;
let client: RuntimeClient;
let tenant: TenantUnderTest;
let port: number;

beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    if (request.url?.startsWith('/hang') !== true) response.writeHead(503).end();
  });
  port = await freePort();
  runtime = await startRuntime({ WHARF_PORT: `${port}`, WHARF_WARM_WORKERS: '0' });
  const tools = { hang: `${upstream.origin}/hang`, failing: `${upstream.origin}/failing` };
  tenant = new TenantUnderTest(manifestOf(tools), { allowances: [{ host: '127.0.0.1', port: upstream.port }] });
  const sockets = [runtime.socket];
  client = await RuntimeClient.connect({ sockets, intakeKey: INTAKE_KEY, supplier: supplierOf(tenant) });
});
afterAll(async () => {
  await client.close();
  await runtime.stop();
  await upstream.close();
});

const scrape = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

test('a scrape counts the workers that died, and says which state breakers are in', async () => {
  const hanging = callOf(client, tenant.envelope(), toolCall('hang'));
  await upstream.untilSeen('/hang');
  for (const pid of runtime.workers()) process.kill(pid, 'SIGKILL');
  await hanging;
  for (let call = 0; call < 12; call += 1) await callOf(client, tenant.envelope(), toolCall('failing'));
  const text = await scrape();
  expect(text).toMatch(/^wharf_worker_deaths_total(\{[^}]*\})? 1\b/m);
  expect(text).toMatch(/^wharf_egress_breakers\{[^}]*state="open"[^}]*\} 1\b/m);
  expect(text).toMatch(/^wharf_workers(\{[^}]*\})? 1\b/m);
  expect(text).not.toMatch(new RegExp(tenant.tenantId));
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  await new Promise((resolve) => server.close(resolve));
  return port;
}
