import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Secret } from '#libs/config';
import { freePort } from '#libs/embedded';
import { RuntimeClient, type Envelope } from '#libs/protocol';
import { until } from '#libs/testing';
import { startUpstream, type Upstream } from './upstream.fixture.js';
import {
  callOf,
  INITIALIZE,
  INTAKE_KEY,
  LIST,
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
  /** Answers the call that hangs. */
  let answer: () => void = () => undefined;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'wharf-intake-tls-'));
    port = await freePort();
    upstream = await startUpstream((request, response) => {
      const end = (): void =>
        void response.setHeader('content-type', 'application/json').end(JSON.stringify({ saw: request.url }));
      if (request.url?.startsWith('/hang') === true) answer = end;
      else end();
    });
    runtimes = await Promise.all(
      HOSTS.map((host) => startRuntime({ WHARF_DATA_DIR: path.join(folder, host) }, `tls://${host}:${port}`)),
    );
    const allowances = [{ host: '127.0.0.1', port: upstream.port }];
    const tools = { echo: `${upstream.origin}/echo`, hang: `${upstream.origin}/hang` };
    tenants = Array.from({ length: 64 }, () => new TenantUnderTest(manifestOf(tools), { allowances }));
    client = await connect(INTAKE_KEY);
    // Of eight whose ids are as chance has it, all live at one runtime once in 128 times.
    tenants = [...Map.groupBy(tenants, placeOf).values()].flatMap((neighbours) => neighbours.slice(0, 4));
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

  const look = (hosts: string[]): Promise<void> => {
    known = hosts;
    return client.lookForRuntimes();
  };
  const placeOf = (tenant: TenantUnderTest): string => client.placeOf(tenant.envelope().route) ?? '';
  const callAt = (at: string, envelope: Envelope, message: object) =>
    callOf({ call: (...sent) => client.call(sent[0], sent[1], sent[2], at) }, envelope, message);

  it('that have left the name are given nothing new, and keep their sessions', async () => {
    const sessions = tenants.map((tenant) => {
      return [placeOf(tenant), tenant.envelope({ era: 'legacy', sessionId: randomUUID() })] as const;
    });
    expect(new Set(sessions.map(([place]) => place)).size).toBe(2);
    const askEach = (message: object) =>
      Promise.all(sessions.map(([place, envelope]) => callAt(place, envelope, message)));
    for (const reply of await askEach(INITIALIZE)) expect(reply).toMatchObject({ outcome: 'ok' });
    await look(HOSTS.slice(1));
    expect(new Set(tenants.map(placeOf)).size).toBe(1);
    for (const reply of await askEach(LIST)) expect(reply).toMatchObject({ outcome: 'ok' });
  });

  it('that come back to the name go on with the connections that they had', async () => {
    await look(HOSTS);
    await look(HOSTS.slice(1));
    await look(HOSTS);
    const marks = (await client.operated()).map(({ mark }) => mark);
    expect(marks.length).toBe(2);
    expect(new Set(tenants.map(placeOf))).toEqual(new Set(marks));
  });

  it('that have left the name and stop end their calls first, and their tenants go on elsewhere', async () => {
    const places = tenants.map(placeOf);
    await look(HOSTS.slice(1));
    const index = tenants.findIndex((tenant, at) => placeOf(tenant) !== places[at]);
    const [tenant, place] = [tenants[index], places[index]];
    if (tenant === undefined || place === undefined) throw new Error('both runtimes have tenants');
    const hanging = callAt(place, tenant.envelope(), toolCall('hang'));
    await upstream.untilSeen('/hang');
    const stopped = runtimes[0]?.stop();
    const session = tenant.envelope({ era: 'legacy', sessionId: randomUUID() });
    await until(async () => {
      const { outcome } = await callAt(place, session, LIST);
      return outcome === 'worker_failed'; // nothing is sent there any more
    }, 'the caller hears that it stops');
    await client.lookForRuntimes();
    answer();
    expect(await hanging).toMatchObject({ outcome: 'ok' });
    for (const reply of await callEach()) expect(reply).toMatchObject({ outcome: 'ok' });
    await stopped;
    await client.lookForRuntimes();
    expect((await client.operated()).length).toBe(1);
  });
});
