import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RuntimeClient } from '#libs/protocol';
import { until } from '#libs/testing';
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

const folder = mkdtempSync(path.join(tmpdir(), 'wharf-silence-'));
const way = path.join(folder, 'way.sock');
const ways = new Set<Socket>();
let upstream: Upstream;
let runtime: RuntimeUnderTest;
let proxy: Server;
let client: RuntimeClient;
let tenant: TenantUnderTest;

beforeAll(async () => {
  upstream = await startUpstream((_, response) => response.setHeader('content-type', 'application/json').end('{}'));
  runtime = await startRuntime();
  proxy = createServer((near) => {
    const far = connect(runtime.socket);
    ways.add(near).add(far);
    near.on('error', () => undefined).pipe(far.on('error', () => undefined));
    far.pipe(near);
  });
  await new Promise<void>((resolve) => proxy.listen(way, resolve));
  const allowances = [{ host: '127.0.0.1', port: upstream.port }];
  tenant = new TenantUnderTest(manifestOf({ echo: `${upstream.origin}/echo` }), { allowances });
  client = await RuntimeClient.connect({ sockets: [way], intakeKey: INTAKE_KEY, supplier: supplierOf(tenant) });
});
afterAll(async () => {
  await client?.close();
  for (const socket of ways) socket.destroy();
  await new Promise((resolve) => proxy.close(resolve));
  await runtime?.stop();
  await upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a connection that takes everything and answers nothing is given up, and a new one made', async () => {
  const call = (ms: number) =>
    callOf(client, { ...tenant.envelope(), deadlineMs: Date.now() + ms }, toolCall('echo', { text: 'hello' }));
  expect(await call(30_000)).toMatchObject({ outcome: 'ok' });
  for (const socket of ways) socket.unpipe().resume();
  expect(await call(500)).toMatchObject({ failure: { code: 'deadline_exceeded' } });
  expect(await until(async () => ((await call(2_000)).outcome === 'ok' ? 'healed' : undefined))).toBe('healed');
});
