import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { RuntimeClient } from '#libs/protocol';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, send } from '../requests.fixture.js';
import { INTAKE_KEY, listen, startRuntime, type Listening } from '../surroundings.fixture.js';

const folder = mkdtempSync(path.join(tmpdir(), 'wharf-drained-'));
const sockets = ['a', 'b'].map((name) => path.join(folder, name));

let gateway: GatewayUnderTest;
let upstream: Listening;
let acme: TenantUnderTest;
let operators: RuntimeClient;
let stopRuntimes: Array<() => Promise<void>>;
/** Answers the call that hangs. */
let answer: () => void = () => undefined;

beforeAll(async () => {
  upstream = await listen((request, response) => {
    const end = (): void => void response.setHeader('content-type', 'application/json').end('{"said":"done"}');
    if (request.url === '/hang') answer = end;
    else end();
  });
  stopRuntimes = await Promise.all(sockets.map(startRuntime));
  gateway = await GatewayUnderTest.start({ WHARF_RUNTIME_SOCKETS: sockets.join(',') });
  acme = await gateway.tenant('acme', { find: `${upstream.origin}/find`, hang: `${upstream.origin}/hang` });
  await gateway.allow(acme, upstream);
  operators = await RuntimeClient.connect({
    sockets,
    intakeKey: new Secret(INTAKE_KEY),
    supplier: { supply: async () => ({ manifests: new Map() }) },
  });
});

afterAll(async () => {
  await operators.close();
  await gateway.stop();
  await Promise.all([upstream.close(), ...stopRuntimes.map((stop) => stop())]);
  rmSync(folder, { recursive: true, force: true });
});

const post = (message: Record<string, unknown>, session?: string) => {
  const { headers, body } = legacy(message, session);
  return send(acme.serverUrl, { headers: { ...headers, authorization: `Bearer ${acme.key}` }, body });
};

async function openSession(): Promise<string> {
  const id = String((await post(INITIALIZE)).headers['mcp-session-id']);
  await post({ method: 'notifications/initialized' }, id);
  return id;
}

const call = (name: string, session: string) =>
  post({ id: 2, method: 'tools/call', params: { name, arguments: {} } }, session);

/** The runtime that works for the tenant now. */
async function busy(): Promise<string> {
  const found = await operators.operated();
  return found.find((one) => (one.answer?.status.workers ?? 0) > 0)?.mark ?? '';
}

test('a drained runtime’s sessions begin anew on another, its calls end first, and it says when it is empty', async () => {
  const session = await openSession();
  expect((await call('find', session)).status).toBe(200);
  const mark = await busy();
  const hanging = call('hang', session);
  await until(async () => (await operators.order(mark, { kind: 'show' }))?.status.exchanges === 1, 'the call runs');
  const drained = await operators.order(mark, { kind: 'drain', draining: true, withinMs: 600_000 });
  expect(drained?.status).toMatchObject({ draining: true, workers: 1, drainEndsAtMs: expect.any(Number) });

  // A new session goes to the other at once; the old one's call is not cut off.
  const another = await openSession();
  expect((await call('find', another)).status).toBe(200);
  answer();
  expect((await hanging).status).toBe(200);

  await until(async () => (await operators.order(mark, { kind: 'show' }))?.status.workers === 0, 'it is empty');
  const gone = await call('find', session);
  expect([gone.status, gone.json.error.code]).toEqual([404, -31005]);
  const anew = await openSession();
  expect((await call('find', anew)).status).toBe(200);
  expect((await operators.order(mark, { kind: 'show' }))?.status.workers).toBe(0);
  expect((await call('find', another)).status).toBe(200);
});

test('what is left when the time of a drain is over is ended', async () => {
  const before = await operators.operated();
  const draining = before.find(({ answer: said }) => said?.status.draining === true);
  await operators.order(draining?.mark ?? '', { kind: 'drain', draining: false });
  const session = await openSession();
  await call('find', session);
  const hanging = call('hang', session);
  const mark = await until(async () => {
    const found = await operators.operated();
    return found.find((one) => (one.answer?.status.exchanges ?? 0) > 0)?.mark;
  }, 'the call runs');
  await operators.order(mark, { kind: 'drain', draining: true, withinMs: 0 });
  expect((await hanging).status).not.toBe(404);
  await until(async () => (await operators.order(mark, { kind: 'show' }))?.status.workers === 0, 'it is empty');
});
