import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '#libs/embedded';
import { RuntimeClient } from '#libs/protocol';
import {
  callOf,
  INITIALIZE,
  INTAKE_KEY,
  LIST,
  manifestOf,
  startRuntime,
  supplierOf,
  TenantUnderTest,
  type RuntimeUnderTest,
} from './worker-runtime.fixture.js';

/** What a name server answers where there is no such name, and where it cannot say. */
const failed = (code: string): Error => Object.assign(new Error(`getaddrinfo ${code}`), { code });

let folder: string;
let blue: RuntimeUnderTest;
let tenant: TenantUnderTest;
let connect: (own: string, other: string) => Promise<RuntimeClient>;
/** What the names stand for now: addresses, or why nobody knows. */
const names = new Map<string, readonly string[] | Error>([['blue', ['127.0.0.1']]]);

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-other-half-'));
  const port = await freePort();
  blue = await startRuntime({ WHARF_DATA_DIR: folder }, `tls://127.0.0.1:${port}`);
  tenant = new TenantUnderTest(manifestOf({ echo: 'https://api.example.com/echo' }));
  const resolve = (host: string): Promise<readonly string[]> => {
    const known = names.get(host) ?? failed('ENOTFOUND');
    return known instanceof Error ? Promise.reject(known) : Promise.resolve(known);
  };
  connect = (own, other) =>
    RuntimeClient.connect({
      sockets: [`tls://${own}:${port}`],
      holding: [`tls://${other}:${port}`],
      intakeKey: INTAKE_KEY,
      supplier: supplierOf(tenant),
      resolve,
    });
});

afterAll(async () => {
  await blue.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('the other half’s runtimes are asked for what they hold, hear of evictions, and are forgotten with their name', async () => {
  const [first, second] = await Promise.all([connect('blue', 'green'), connect('green', 'blue')]);
  await second.lookForRuntimes();
  const session = tenant.envelope({ era: 'legacy', sessionId: randomUUID() });
  const at = first.placeOf(session.route);
  const ask = (message: object) =>
    callOf({ call: (...sent) => second.call(sent[0], sent[1], sent[2], at) }, session, message);

  // A half without runtimes of its own is not ready, and gives nothing new to the other's.
  expect([first.ready, second.ready, second.placeOf(session.route)]).toEqual([true, false, undefined]);
  expect(await callOf(second, tenant.envelope(), LIST)).toMatchObject({ failure: { code: 'unavailable' } });
  expect(await ask(INITIALIZE)).toMatchObject({ outcome: 'ok' });

  // Nobody can say now what the name stands for, and then it is gone: who holds something goes on.
  for (const code of ['EAI_AGAIN', 'ENOTFOUND']) {
    names.set('blue', failed(code));
    await second.lookForRuntimes();
    expect(await ask(LIST)).toMatchObject({ outcome: 'ok' });
  }
  await second.evict(tenant.tenantId, 'stopped');
  expect(await ask(LIST)).toMatchObject({ outcome: 'protocol_error' });

  await blue.stop();
  await expect(first.evict(tenant.tenantId, 'stopped')).rejects.toMatchObject({ code: 'unavailable' });
  await second.lookForRuntimes();
  await second.evict(tenant.tenantId, 'stopped');
  expect(await second.operated()).toEqual([]);
  await Promise.all([first.close(), second.close()]);
});
