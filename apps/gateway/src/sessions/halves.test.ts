import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { RuntimeClient } from '#libs/protocol';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, send } from '../requests.fixture.js';
import { INTAKE_KEY, listen, startRuntime, type Listening } from '../surroundings.fixture.js';

const folder = mkdtempSync(path.join(tmpdir(), 'wharf-halves-'));
const [BLUE, GREEN] = ['blue', 'green'].map((name) => path.join(folder, name)) as [string, string]; // two names, two paths

/** The gateway of the blue half; the green one is at `green`. */
let blue: GatewayUnderTest;
let green: string;
let upstream: Listening;
let acme: TenantUnderTest;
let stopBlue: () => Promise<void>;
let stopGreen: () => Promise<void>;
let runtimes: RuntimeClient[];

beforeAll(async () => {
  upstream = await listen(
    (_request, response) => void response.setHeader('content-type', 'application/json').end('{}'),
  );
  [stopBlue, stopGreen] = await Promise.all([startRuntime(BLUE), startRuntime(GREEN)]);
  blue = await GatewayUnderTest.start({ WHARF_RUNTIME_SOCKETS: BLUE, WHARF_RUNTIME_SOCKETS_HOLDING: GREEN });
  green = await blue.replica({ WHARF_RUNTIME_SOCKETS: GREEN, WHARF_RUNTIME_SOCKETS_HOLDING: BLUE });
  acme = await blue.tenant('acme', { find: `${upstream.origin}/find` });
  await blue.allow(acme, upstream);
  const supplier = { supply: async () => ({ manifests: new Map<string, Buffer>() }) };
  runtimes = await Promise.all(
    [BLUE, GREEN].map((socket) =>
      RuntimeClient.connect({ sockets: [socket], intakeKey: new Secret(INTAKE_KEY), supplier }),
    ),
  );
});

afterAll(async () => {
  await Promise.all(runtimes.map((runtime) => runtime.close()));
  await blue.stop();
  await Promise.all([upstream.close(), stopBlue(), stopGreen()]);
  rmSync(folder, { recursive: true, force: true });
});

const postAt = (origin: string, { headers, body }: { headers: Record<string, string>; body: string }) =>
  send(acme.serverUrl.replace(blue.origin, origin), {
    headers: { ...headers, authorization: `Bearer ${acme.key}` },
    body,
  });
const CALL = { id: 2, method: 'tools/call', params: { name: 'find', arguments: {} } };

async function openAt(origin: string): Promise<string> {
  const id = String((await postAt(origin, legacy(INITIALIZE))).headers['mcp-session-id']);
  await postAt(origin, legacy({ method: 'notifications/initialized' }, id));
  return id;
}

/** How many workers the runtimes of blue and of green have for tenants. */
const workers = (): Promise<unknown> =>
  Promise.all(runtimes.map(async (runtime) => (await runtime.operated())[0]?.answer?.status.workers));

test('a session of blue goes on through green’s gateway, what is new starts at green, and blue can be ended then', async () => {
  const old = await openAt(blue.origin);
  expect((await postAt(blue.origin, legacy(CALL, old))).status).toBe(200);
  expect(await workers()).toEqual([1, 0]);

  // The switch: every request reaches green's gateway from now on.
  expect((await postAt(green, legacy(CALL, old))).status).toBe(200);
  expect(await workers()).toEqual([1, 0]);
  const young = await openAt(green);
  for (const call of [legacy(CALL, young), modern('tools/call', CALL.params), legacy(CALL, old)])
    expect((await postAt(green, call)).status).toBe(200);
  expect(await workers()).toEqual([1, 1]);

  // The switch back, which ends none either.
  expect((await postAt(blue.origin, legacy(CALL, young))).status).toBe(200);
  expect((await postAt(blue.origin, legacy(CALL, old))).status).toBe(200);

  await stopBlue();
  expect((await postAt(green, legacy(CALL, young))).status).toBe(200);
  expect((await postAt(green, modern('tools/call', CALL.params))).status).toBe(200);
  const gone = await postAt(green, legacy(CALL, old));
  expect([gone.status, gone.json.error.code]).toEqual([404, -31005]);
});
