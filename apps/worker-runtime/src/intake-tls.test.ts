import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Secret } from '#libs/config';
import { freePort } from '#libs/embedded';
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

const NAME = 'runtimes.wharf.example';
const HOSTS = ['127.0.0.1', '127.0.0.2'];

describe('worker-runtimes on other machines', () => {
  let folder: string;
  let port: number;
  let upstream: Upstream;
  let runtimes: RuntimeUnderTest[];
  let tenants: TenantUnderTest[];
  let client: RuntimeClient;
  let known = HOSTS;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'wharf-intake-tls-'));
    port = await freePort();
    upstream = await startUpstream((request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ saw: request.url }));
    });
    runtimes = await Promise.all(
      HOSTS.map((host) => startRuntime({ WHARF_DATA_DIR: path.join(folder, host) }, `tls://${host}:${port}`)),
    );
    const allowances = [{ host: '127.0.0.1', port: upstream.port }];
    tenants = Array.from(
      { length: 8 },
      () => new TenantUnderTest(manifestOf({ echo: `${upstream.origin}/echo` }), { allowances }),
    );
    client = await connect(INTAKE_KEY);
  });

  afterAll(async () => {
    await client.close();
    await Promise.all(runtimes.map((runtime) => runtime.stop()));
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const connect = (intakeKey: Secret): Promise<RuntimeClient> =>
    RuntimeClient.connect({
      sockets: [`tls://${NAME}:${port}`],
      intakeKey,
      supplier: supplierOf(...tenants),
      resolve: () => Promise.resolve(known),
    });
  const callEach = () => Promise.all(tenants.map((tenant) => callOf(client, tenant.envelope(), toolCall('echo'))));

  it('answer the calls of tenants over TLS', async () => {
    for (const reply of await callEach()) expect(reply).toMatchObject({ outcome: 'ok' });
  });

  it('let in nobody without the intake key, nor without TLS', async () => {
    const stranger = await connect(new Secret('another intake key of 32 characters or more'));
    expect(stranger.ready).toBe(false);
    for (const tenant of tenants) {
      const refused = await callOf(stranger, tenant.envelope(), toolCall('echo'));
      expect(refused).toMatchObject({ failure: { code: 'unavailable' } });
    }
    await stranger.close();
    const ended = await new Promise((resolve) => {
      const plain = createConnection(port, HOSTS[0]);
      plain.once('connect', () => plain.write('GET / HTTP/1.1\r\n\r\n'));
      plain.once('close', () => resolve('closed'));
      plain.on('error', () => undefined);
      plain.resume();
    });
    expect(ended).toBe('closed');
    await until(() => runtimes[0]?.logs().includes('a caller does not have our key'), 'the refusal in the log');
  });

  it('that have left the name are given nothing new, and their tenants go on elsewhere', async () => {
    known = HOSTS.slice(1);
    await client.lookForRuntimes();
    const gone = runtimes[0];
    await gone?.stop();
    for (const reply of await callEach()) expect(reply).toMatchObject({ outcome: 'ok' });
  });
});
