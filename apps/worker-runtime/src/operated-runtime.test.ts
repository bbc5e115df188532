import { afterAll, beforeAll, expect, test } from '@jest/globals';
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
let tenant: TenantUnderTest;
let client: RuntimeClient;

beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    if (request.url?.startsWith('/hang') === true) return;
    response.setHeader('content-type', 'application/json').end('{}');
  });
  runtime = await startRuntime();
  const allowances = [{ host: '127.0.0.1', port: upstream.port }];
  const manifest = manifestOf({ echo: `${upstream.origin}/echo`, hang: `${upstream.origin}/hang` });
  tenant = new TenantUnderTest(manifest, { allowances });
  client = await RuntimeClient.connect({
    sockets: [runtime.socket],
    intakeKey: INTAKE_KEY,
    supplier: supplierOf(tenant),
  });
});

afterAll(async () => {
  await client?.close();
  await runtime?.stop();
  await upstream?.close();
});

test('does what operators order, and shows a worker to end it', async () => {
  await callOf(client, tenant.envelope(), toolCall('echo'));
  const [shown] = await client.operated();
  const mark = shown?.mark ?? '';
  const own = shown?.answer?.status.busiest.find(({ tenantId }) => tenantId === tenant.tenantId);
  const order = { kind: 'stop-worker', worker: own?.id ?? '' } as const;
  expect(await client.order(mark, order)).toMatchObject({ found: true });
  expect(await client.order(mark, order)).toMatchObject({ found: false });
  expect(await client.order(mark, { kind: 'drain', draining: true })).toMatchObject({ status: { draining: true } });
  expect(await callOf(client, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
  await client.order(mark, { kind: 'drain', draining: false });
});

test('ends all that runs at an operator’s word, says whose it was, and works on', async () => {
  await callOf(client, tenant.envelope(), toolCall('echo'));
  const [shown] = await client.operated();
  expect(shown?.answer?.status.pools).toMatchObject([{ memoryMb: expect.any(Number), wanted: expect.any(Number) }]);
  const hanging = callOf(client, tenant.envelope(), toolCall('hang'));
  await upstream.untilSeen('/hang');
  const killed = await client.order(shown?.mark ?? '', { kind: 'kill', draining: false });
  expect(await hanging).toMatchObject({ outcome: 'worker_failed', started: true });
  expect(killed).toMatchObject({ status: { workers: 0, tenants: 0, exchanges: 0 } });
  expect(killed?.ended).toMatchObject({ workers: shown?.answer?.status.workers, builds: 0 });
  expect(killed?.ended?.tenantIds).toContain(tenant.tenantId);
  expect(await callOf(client, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
});
