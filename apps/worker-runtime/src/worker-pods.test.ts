import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RuntimeClient } from '#libs/protocol';
import { ApiServerUnderTest } from './isolation/pod/api-server.fixture.js';
import { startUpstream, type Upstream } from './upstream.fixture.js';
import {
  callOf,
  INTAKE_KEY,
  manifestOf,
  startRuntime,
  supplierOf,
  TenantUnderTest,
  toolCall,
  untilTrue,
  type RuntimeUnderTest,
} from './worker-runtime.fixture.js';

const POD_KEYS = {
  WHARF_WORKER_DRIVER: 'pod',
  WHARF_POD_IMAGE: 'registry.example/wharf:test',
  WHARF_POD_RUNTIME_CLASS: 'gvisor',
  WHARF_POD_DIAL_HOST: '127.0.0.1',
  WHARF_POD_DIAL_PORT: '0',
};
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const LEGACY_CALL = {
  jsonrpc: '2.0',
  id: 2,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text: 'legacy' } },
};

const folder = mkdtempSync(path.join(tmpdir(), 'wharf-pods-'));
let api: ApiServerUnderTest;
let upstream: Upstream;
let runtime: RuntimeUnderTest;
let client: RuntimeClient;
let tenant: TenantUnderTest;

beforeAll(async () => {
  api = await ApiServerUnderTest.start();
  const kubeconfig = path.join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, api.kubeconfig());
  upstream = await startUpstream((request, response) => {
    if (request.url?.startsWith('/hang') === true) return;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ saw: request.url }));
  });
  runtime = await startRuntime({ KUBECONFIG: kubeconfig, ...POD_KEYS });
  const tools = { echo: `${upstream.origin}/echo`, hang: `${upstream.origin}/hang` };
  tenant = new TenantUnderTest(manifestOf(tools), { allowances: [{ host: '127.0.0.1', port: upstream.port }] });
  const sockets = [runtime.socket];
  client = await RuntimeClient.connect({ sockets, intakeKey: INTAKE_KEY, supplier: supplierOf(tenant) });
});
afterAll(async () => {
  await client.close();
  await runtime.stop();
  await upstream.close();
  await api.stop();
  rmSync(folder, { recursive: true });
});

const running = (): string[] =>
  [...api.processes].filter(([, child]) => child.exitCode === null && child.signalCode === null).map(([name]) => name);

test('runs a tool in a pod, and the pod has no other way out than its runtime', async () => {
  const ended = await callOf(client, tenant.envelope(), toolCall('echo', { text: 'pod' }));
  expect(ended).toMatchObject({ outcome: 'ok', upstreamMs: expect.any(Number) });
  expect(ended.message).toContain('/echo?text=pod');
  expect(runtime.workers()).toEqual([]); // nothing of it runs here
});

test('serves a session of the earlier era in the same pod', async () => {
  const pods = running().length;
  const legacy = tenant.envelope({ era: 'legacy', sessionId: randomUUID() });
  expect(await callOf(client, legacy, INITIALIZE)).toMatchObject({ outcome: 'ok' });
  expect(await callOf(client, legacy, LEGACY_CALL)).toMatchObject({ outcome: 'ok' });
  expect(running()).toHaveLength(pods);
});

test('a pod that dies fails the calls in it at once, and the next call is served by another', async () => {
  const seen = upstream.untilSeen('/hang');
  const hanging = callOf(client, tenant.envelope(), toolCall('hang'));
  await seen;
  const before = new Set(running());
  for (const name of before) api.processes.get(name)?.kill('SIGKILL'); // the bound one and the one that waits
  expect(await hanging).toMatchObject({ outcome: 'worker_failed' });
  await untilTrue(() => running().some((name) => !before.has(name)));
  expect(await callOf(client, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
});

test('deletes the pods of a tenant whose workers are evicted, and no others', async () => {
  expect(await callOf(client, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
  await untilTrue(() => running().length === 2); // the tenant's, and the one that waits
  const before = running();
  await client.evict(tenant.tenantId);
  await untilTrue(() => before.filter((name) => !api.pods.has(name)).length === 1);
  expect(before.filter((name) => api.pods.has(name))).toHaveLength(1);
});

test('does not start where the cluster does not know it, and says so', async () => {
  const stranger = path.join(folder, 'stranger');
  writeFileSync(stranger, api.kubeconfig().replace('a service account token', 'no token of ours'));
  await expect(startRuntime({ KUBECONFIG: stranger, ...POD_KEYS })).rejects.toThrow(
    /WHARF_WORKER_DRIVER is pod, but the cluster does not let us: 401 Unauthorized/,
  );
});

test('does not start without what pods need, and names it', async () => {
  await expect(startRuntime({ WHARF_WORKER_DRIVER: 'pod', WHARF_POD_IMAGE: 'image' })).rejects.toThrow(
    /WHARF_POD_RUNTIME_CLASS: is not set[\s\S]*WHARF_POD_DIAL_HOST: is not set/,
  );
});
