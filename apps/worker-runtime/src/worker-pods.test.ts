import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { manifestSchema, RuntimeClient } from '#libs/protocol';
import { startNpmRegistry, type NpmRegistry } from '#libs/testing';
import { startSecure, type Secure } from './egress/proxy/proxy.fixture.js';
import { ApiServerUnderTest } from './isolation/pod/api-server.fixture.js';
import { startUpstream, type Upstream } from './upstream.fixture.js';
import { REACHER_PACKAGE } from './npm-packages.fixture.js';
import {
  callOf,
  INITIALIZE,
  INTAKE_KEY,
  LEGACY_CALL,
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

const folder = mkdtempSync(path.join(tmpdir(), 'wharf-pods-'));
let api: ApiServerUnderTest;
let upstream: Upstream;
let secure: Secure;
let registry: NpmRegistry;
let runtime: RuntimeUnderTest;
let client: RuntimeClient;
let tenant: TenantUnderTest;
let packaged: TenantUnderTest;

beforeAll(async () => {
  api = await ApiServerUnderTest.start();
  const kubeconfig = path.join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, api.kubeconfig());
  upstream = await startUpstream((request, response) => {
    if (request.url?.startsWith('/hang') === true) return;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ saw: request.url }));
  });
  secure = await startSecure();
  registry = await startNpmRegistry([REACHER_PACKAGE]);
  runtime = await startRuntime({ KUBECONFIG: kubeconfig, WHARF_REGISTRY_URL: registry.url, ...POD_KEYS });
  const tools = { echo: `${upstream.origin}/echo`, hang: `${upstream.origin}/hang` };
  tenant = new TenantUnderTest(manifestOf(tools), { allowances: [{ host: '127.0.0.1', port: upstream.port }] });
  packaged = new TenantUnderTest(manifestOf({}), {
    allowances: [
      { host: '127.0.0.1', port: upstream.port },
      { host: 'localhost', port: secure.port },
    ],
  });
  const sockets = [runtime.socket];
  client = await RuntimeClient.connect({ sockets, intakeKey: INTAKE_KEY, supplier: supplierOf(tenant, packaged) });
});
afterAll(async () => {
  await client.close();
  await runtime.stop();
  await Promise.all([upstream.close(), secure.close(), registry.stop()]);
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
  await client.evict(tenant.tenantId, 'stopped');
  await untilTrue(() => before.filter((name) => !api.pods.has(name)).length === 1);
  expect(before.filter((name) => api.pods.has(name))).toHaveLength(1);
});

describe('a package of npm in a pod', () => {
  /** What its tool says, and what the call moved through egress. */
  const reach = async (url: string): Promise<readonly [string, number]> => {
    const ended = await callOf(client, packaged.envelope(), toolCall('reach', { url, ca: secure.cert }));
    return [ended.message, ended.egressBytes ?? 0];
  };

  test('is installed there', async () => {
    const origins = [upstream.origin, `https://localhost:${secure.port}`];
    const limits = { wait: { timeoutMs: 500, concurrentMax: 1 } };
    const source = { kind: 'npm', package: 'reacher', origins, limits };
    const built = await client.build({
      tenantId: packaged.tenantId,
      serverSlug: 'test',
      source: Buffer.from(JSON.stringify(source)),
      deadlineMs: Date.now() + 50_000,
      thirdParty: 'npm',
    });
    const manifest = manifestSchema.parse(JSON.parse(built.manifest.toString()));
    expect(manifest).toMatchObject({ kind: 'bundle', tools: [{ name: 'reach' }, { name: 'wait' }] });
    packaged.take(built);
  });

  test('reaches the origins of its release with fetch and through a tunnel, and what it moves is counted', async () => {
    const [plain, moved] = await reach(`${upstream.origin}/from-a-pod`);
    expect(plain).toContain('200 {\\"saw\\":\\"/from-a-pod\\"}');
    expect(moved).toBeGreaterThan('{"saw":"/from-a-pod"}'.length);
    expect((await reach(`https://localhost:${secure.port}/tunnel`))[0]).toContain('200 secure /tunnel');
    expect(secure.seen).toEqual(['/tunnel']);
  });

  test('is led nowhere else', async () => {
    expect((await reach(registry.url))[0]).toMatch(/403|failed/);
    expect((await reach('http://169.254.169.254/latest/meta-data/'))[0]).toMatch(/403|failed/);
    expect((await reach(`https://localhost:${upstream.port}/`))[0]).toMatch(/403|failed/);
    expect(registry.seen.every((path) => path.startsWith('reacher'))).toBe(true);
  });
});

test('a tool of a third-party server has the limits that its release names', async () => {
  const wait = () => callOf(client, packaged.envelope(), toolCall('wait'));
  const answers = await Promise.all([wait(), wait()]);
  expect(answers.map(({ message }) => message).toSorted()).toEqual([
    expect.stringContaining('1 call of this tool may be under way at once'),
    expect.stringContaining('did not answer in time'),
  ]);
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
