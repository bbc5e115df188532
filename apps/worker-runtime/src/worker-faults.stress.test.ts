import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
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
  untilGone,
  untilTrue,
  type Ended,
  type RuntimeUnderTest,
} from './worker-runtime.fixture.js';

/** Stops what runs in a worker's sandbox where it is, as a thread that is caught would be. */
function catchIn(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  if (children.length === 0) process.kill(pid, 'SIGSTOP');
  for (const child of children) catchIn(Number(child));
}

/** How many files a process may open from now on, until it is told another number. */
function openFilesMax(pid: number, count: number): void {
  execFileSync('/usr/bin/prlimit', [`--pid=${pid}`, `--nofile=${count}:`]);
}

describe('worker faults', () => {
  let upstream: Upstream;
  let runtime: RuntimeUnderTest;
  let client: RuntimeClient;
  const tenants: TenantUnderTest[] = [];
  const supplier = {
    supply: (tenantId: string, digests: readonly string[], context: boolean) =>
      supplierOf(...tenants).supply(tenantId, digests, context),
  };

  beforeAll(async () => {
    upstream = await startUpstream((request, response) => {
      if (request.url?.startsWith('/hang') !== true) response.end('answered');
    });
    runtime = await startRuntime({ WHARF_WARM_WORKERS: '0' });
    client = await RuntimeClient.connect({ sockets: [runtime.socket], intakeKey: INTAKE_KEY, supplier });
  });

  afterAll(async () => {
    await client.close();
    await runtime.stop();
    await upstream.close();
  });

  const newTenant = (): TenantUnderTest => {
    const manifest = manifestOf({
      echo: `${upstream.origin}/echo`,
      hang: `${upstream.origin}/hang/${randomUUID()}`,
    });
    const tenant = new TenantUnderTest(manifest, { allowances: [{ host: '127.0.0.1', port: upstream.port }] });
    tenants.push(tenant);
    return tenant;
  };
  const hang = (tenant: TenantUnderTest): Promise<Ended> => callOf(client, tenant.envelope(), toolCall('hang'));
  const hangingPath = (tenant: TenantUnderTest): string =>
    /\/hang\/[0-9a-f-]+/.exec(tenant.bytes.toString())?.[0] ?? '';

  it("fails a killed worker's calls, leaves other tenants alone, and starts another worker for the next call", async () => {
    const [tenant, neighbour] = [newTenant(), newTenant()];
    await callOf(client, neighbour.envelope(), toolCall('echo'));
    const before = new Set(runtime.workers());
    const call = hang(tenant);
    await upstream.untilSeen(hangingPath(tenant));
    const own = runtime.workers().filter((pid) => !before.has(pid));
    expect(own).toHaveLength(1);
    process.kill(own[0] ?? 0, 'SIGKILL');
    expect(await call).toMatchObject({ failure: { code: 'worker_failed' }, outcome: 'worker_failed', started: true });
    expect(runtime.workers()).toEqual([...before]);
    expect(await callOf(client, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
  });

  it('does not know the sessions of a worker that died', async () => {
    const tenant = newTenant();
    const before = new Set(runtime.workers());
    const session = () => tenant.envelope({ era: 'legacy', sessionId: 'a-session' });
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    expect(await callOf(client, session(), { jsonrpc: '2.0', id: 1, method: 'initialize', params })).toMatchObject({
      outcome: 'ok',
    });
    const call = hang(tenant);
    await upstream.untilSeen(hangingPath(tenant));
    for (const pid of runtime.workers().filter((candidate) => !before.has(candidate))) process.kill(pid, 'SIGKILL');
    await call;
    const ended = await callOf(client, session(), { jsonrpc: '2.0', id: 2, method: 'tools/list' });
    expect(ended).toMatchObject({ failure: { code: 'session_not_found' } });
  });

  it('slows down the restarts of a worker that dies again and again', async () => {
    const tenant = newTenant();
    for (let crash = 0; crash < 3; crash += 1) {
      const before = new Set(runtime.workers());
      const call = hang(tenant);
      await upstream.untilSeen(hangingPath(tenant), crash + 1);
      for (const pid of runtime.workers().filter((candidate) => !before.has(candidate))) process.kill(pid, 'SIGKILL');
      await call;
    }
    const refused = await callOf(client, tenant.envelope(), toolCall('echo'));
    expect(refused).toMatchObject({ failure: { code: 'unavailable', retryAfterSeconds: 1 }, started: false });
  });

  it('kills a worker whose thread is caught, after the deadline, while other tenants are served', async () => {
    const [tenant, neighbour] = [newTenant(), newTenant()];
    const before = new Set(runtime.workers());
    const other = hang(tenant);
    await upstream.untilSeen(hangingPath(tenant));
    for (const pid of runtime.workers().filter((candidate) => !before.has(candidate))) catchIn(pid);
    const caught = callOf(client, tenant.envelope({ deadlineMs: Date.now() + 500 }), toolCall('echo'));
    expect(await callOf(client, neighbour.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
    expect(await caught).toMatchObject({
      failure: { code: 'deadline_exceeded' },
      outcome: 'deadline',
      started: true,
    });
    expect(await other).toMatchObject({ failure: { code: 'worker_failed' } });
    expect(await callOf(client, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
  });

  it('gives up a worker whose thread is caught long before the deadline of its calls', async () => {
    const tenant = newTenant();
    const before = new Set(runtime.workers());
    await callOf(client, tenant.envelope(), toolCall('echo'));
    for (const pid of runtime.workers().filter((candidate) => !before.has(candidate))) catchIn(pid);
    const caught = callOf(client, tenant.envelope({ deadlineMs: Date.now() + 50_000 }), toolCall('echo'));
    expect(await caught).toMatchObject({ failure: { code: 'worker_failed' }, started: true });
    expect(await callOf(client, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
  });

  it('leaves alone a worker that only waits for its upstream', async () => {
    const tenant = newTenant();
    const call = callOf(client, tenant.envelope({ deadlineMs: Date.now() + 9_000 }), toolCall('hang'));
    // Told by the tool itself at its deadline: the worker lived on.
    expect(await call).toMatchObject({ outcome: 'tool_error' });
  });

  it("ends an evicted tenant's workers and asks for its secrets again when it is back", async () => {
    const tenant = newTenant();
    const before = new Set(runtime.workers());
    const call = hang(tenant);
    await upstream.untilSeen(hangingPath(tenant));
    await client.evict(tenant.tenantId, 'stopped');
    expect(await call).toMatchObject({ failure: { code: 'worker_failed' } });
    expect(runtime.workers().filter((pid) => !before.has(pid))).toEqual([]);
    const supplied = supplierOf(tenant);
    const fresh = await RuntimeClient.connect({ sockets: [runtime.socket], intakeKey: INTAKE_KEY, supplier: supplied });
    expect(await callOf(fresh, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
    expect(supplied.asked).toBe(1);
    await fresh.close();
  });

  it('tells a call that runs while its tenant is suspended that it is, and that it may have been done', async () => {
    const tenant = newTenant();
    const call = hang(tenant);
    await upstream.untilSeen(hangingPath(tenant));
    await client.evict(tenant.tenantId, 'suspended');
    const failure = { code: 'tenant_suspended', message: expect.stringContaining('may have been done') };
    expect(await call).toMatchObject({ failure, outcome: 'worker_failed' });
  });

  it('never serves two tenants from one process', async () => {
    const used = await Promise.all(
      [newTenant(), newTenant(), newTenant()].map(async (tenant) => {
        const call = hang(tenant);
        await upstream.untilSeen(hangingPath(tenant));
        return { tenant, call };
      }),
    );
    const held = runtime.workers().length;
    await client.evict(used[0]?.tenant.tenantId ?? '', 'stopped');
    await used[0]?.call;
    expect(runtime.workers()).toHaveLength(held - 1);
    await Promise.all(used.map(({ tenant }) => client.evict(tenant.tenantId, 'stopped')));
    await Promise.all(used.map(({ call }) => call));
  });

  it('stops a worker that nobody uses, and answers the next call from a new one', async () => {
    const shortLived = await startRuntime({ WHARF_WARM_WORKERS: '0', WHARF_WORKER_IDLE_SECONDS: '1' });
    const own = await RuntimeClient.connect({ sockets: [shortLived.socket], intakeKey: INTAKE_KEY, supplier });
    const tenant = newTenant();
    await callOf(own, tenant.envelope(), toolCall('echo'));
    const [pid] = shortLived.workers();
    await untilGone(pid ?? 0);
    expect(await callOf(own, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
    await own.close();
    await shortLived.stop();
  });

  it.each(['sandbox', 'process'])(
    'outlives a lack of descriptors with the driver %s, and serves everybody again when there are some',
    async (WHARF_WORKER_DRIVER) => {
      if (WHARF_WORKER_DRIVER === 'sandbox' && !runtime.logs().includes('workers are sandboxed')) return;
      const short = await startRuntime({ WHARF_WARM_WORKERS: '2', WHARF_WORKER_DRIVER });
      const own = await RuntimeClient.connect({ sockets: [short.socket], intakeKey: INTAKE_KEY, supplier });
      await untilTrue(() => short.workers().length === 2);
      const before = short.workers();
      openFilesMax(short.pid, readdirSync(`/proc/${short.pid}/fd`).length);
      const calls = Array.from({ length: 6 }, () => callOf(own, newTenant().envelope(), toolCall('echo')));
      const codes = (await Promise.all(calls)).map(({ failure }) => failure?.code);
      expect(codes).toContain('worker_failed');
      for (const pid of before) if (short.workers().includes(pid)) process.kill(pid, 'SIGKILL');
      await untilTrue(() => short.logs().includes('the next is started later'));
      openFilesMax(short.pid, 1_024);
      await untilTrue(() => short.workers().length >= 2);
      expect(await callOf(own, newTenant().envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
      await own.close();
      await short.stop();
    },
  );

  it('fails the calls of a runtime that dies, leaves no worker behind, and reconnects by itself', async () => {
    const first = await startRuntime({ WHARF_WARM_WORKERS: '1' });
    const own = await RuntimeClient.connect({ sockets: [first.socket], intakeKey: INTAKE_KEY, supplier });
    const tenant = newTenant();
    const call = callOf(own, tenant.envelope(), toolCall('hang'));
    await upstream.untilSeen(hangingPath(tenant));
    const another = callOf(own, newTenant().envelope(), toolCall('hang'));
    await untilTrue(() => first.workers().length >= 2);
    const workers = first.workers();
    process.kill(first.pid, 'SIGKILL');
    expect(await call).toMatchObject({ failure: { code: 'worker_failed' }, started: true });
    expect(await another).toMatchObject({ failure: { code: 'worker_failed' } });
    await Promise.all(workers.map(untilGone));
    const second = await startRuntime({ WHARF_WARM_WORKERS: '1' }, first.socket);
    await untilTrue(() => own.ready);
    expect(await callOf(own, tenant.envelope(), toolCall('echo'))).toMatchObject({ outcome: 'ok' });
    await own.close();
    await second.stop();
    await first.stop();
  });
});
