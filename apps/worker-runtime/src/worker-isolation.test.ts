import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { RuntimeClient } from '#libs/protocol';
import { ProcessTable } from './isolation/process-table.js';
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

describe('workers of a runtime', () => {
  let upstream: Upstream;
  let runtime: RuntimeUnderTest;
  let client: RuntimeClient;
  const tenants: TenantUnderTest[] = [];

  beforeAll(async () => {
    upstream = await startUpstream((request, response) => response.end(request.url));
    runtime = await startRuntime({ WHARF_WARM_WORKERS: '2' });
    client = await RuntimeClient.connect({
      sockets: [runtime.socket],
      intakeKey: INTAKE_KEY,
      supplier: { supply: (...asked) => supplierOf(...tenants).supply(...asked) },
    });
    await untilTrue(() => runtime.workers().length === 2);
  });

  afterAll(async () => {
    await client.close();
    await runtime.stop();
    await upstream.close();
  });

  const newTenant = (workerMemoryMb?: number): TenantUnderTest => {
    const tenant = new TenantUnderTest(manifestOf({ echo: `${upstream.origin}/echo/${randomUUID()}` }), {
      allowances: [{ host: '127.0.0.1', port: upstream.port }],
      ...(workerMemoryMb === undefined ? {} : { workerMemoryMb }),
    });
    tenants.push(tenant);
    return tenant;
  };

  it('starts one worker for many first calls of a tenant, and takes it from those that wait', async () => {
    const waiting = new Set(runtime.workers());
    const tenant = newTenant();
    const calls = Array.from({ length: 20 }, () => callOf(client, tenant.envelope(), toolCall('echo')));
    const [first] = await Promise.all(calls);
    expect(first).toMatchObject({ outcome: 'ok' });
    // One of the two was taken; since then at most that one was replaced.
    expect(runtime.workers().filter((pid) => !waiting.has(pid)).length).toBeLessThanOrEqual(1);
    await untilTrue(() => runtime.workers().length === 3);
  });

  it('serves a burst of tenants that are new to it, each by a worker of its own, and is ready for more again', async () => {
    const burst = Array.from({ length: 6 }, () => newTenant());
    const answers = await Promise.all(burst.map((tenant) => callOf(client, tenant.envelope(), toolCall('echo'))));
    expect(answers.map(({ outcome }) => outcome)).toEqual(burst.map(() => 'ok'));
    await untilTrue(() => runtime.workers().length === tenants.length + 2);
  });

  it("gives a worker the memory of its tenant's plan", async () => {
    const before = new Set(runtime.workers());
    await callOf(client, newTenant(96).envelope(), toolCall('echo'));
    const own = runtime.workers().filter((pid) => !before.has(pid));
    const commands = own.map((pid) => new ProcessTable().treeOf(pid).map(commandOf).join('\n'));
    expect(commands.some((command) => command.includes('--max-old-space-size=72'))).toBe(true);
  });

  it('never holds a secret of its tenant in the memory of a worker, also after a call that used it', async () => {
    const secret = `canary-${randomUUID()}`;
    const argument = `argument-${randomUUID()}`;
    const plain = manifestOf({ echo: `${upstream.origin}/keyed` });
    const credentials = [
      { id: 'key', secret: 'api-key', in: 'query' as const, name: 'key', prefix: '', origins: [upstream.origin] },
    ];
    const tools = plain.tools.map((tool) => ({ ...tool, http: { ...tool.http, credentials: ['key'] } }));
    const tenant = new TenantUnderTest(
      { ...plain, credentials, tools },
      { allowances: [{ host: '127.0.0.1', port: upstream.port }], secrets: { 'api-key': secret } },
    );
    tenants.push(tenant);
    await callOf(client, tenant.envelope(), toolCall('echo', { text: argument }));
    expect(upstream.seen.some(({ url }) => url.includes(secret))).toBe(true);
    const workers = runtime.workers().flatMap((pid) => new ProcessTable().treeOf(pid));
    const memories = workers.map(memoryOf).filter((memory) => memory !== undefined);
    expect(memories.some((memory) => memory.includes(secret))).toBe(false);
    // That the looking works: the argument, which the worker has had, is found wherever its memory may be read.
    if (memories.length === workers.length) expect(memories.some((memory) => memory.includes(argument))).toBe(true);
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return ''; // it has ended
  }
}

/** Everything a process holds in memory of its own; undefined where we may not look. */
function memoryOf(pid: number): Buffer | undefined {
  try {
    const memory = openSync(`/proc/${pid}/mem`, 'r');
    const ranges = readFileSync(`/proc/${pid}/maps`, 'latin1').matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm);
    const parts = [...ranges].map(([, from = '', to = '']) =>
      partOf(memory, Number.parseInt(from, 16), Number.parseInt(to, 16)),
    );
    closeSync(memory);
    return Buffer.concat(parts);
  } catch {
    return undefined;
  }
}

function partOf(memory: number, from: number, to: number): Buffer {
  const part = Buffer.alloc(Math.min(to - from, 64 * 1024 * 1024));
  try {
    return part.subarray(0, readSync(memory, part, 0, part.length, from));
  } catch {
    return Buffer.alloc(0); // a range that is only set aside
  }
}
