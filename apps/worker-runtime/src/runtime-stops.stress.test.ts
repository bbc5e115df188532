import { afterAll, beforeAll, expect, test } from '@jest/globals';
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
  untilTrue,
  type RuntimeUnderTest,
} from './worker-runtime.fixture.js';

let upstream: Upstream;
let runtimes: RuntimeUnderTest[];
const held: Array<() => void> = [];

beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    if (request.url?.startsWith('/held') === true) held.push(() => response.end('held'));
    else response.end('answered');
  });
  runtimes = await Promise.all([startRuntime(), startRuntime()]);
});

afterAll(async () => {
  for (const answer of held) answer();
  await Promise.all(runtimes.map((runtime) => runtime.stop()));
  await upstream.close();
});

test('a runtime that is told to stop ends what it works on, its sessions are told so, and new calls go to another', async () => {
  const manifest = manifestOf({ echo: `${upstream.origin}/echo`, held: `${upstream.origin}/held` });
  const tenant = new TenantUnderTest(manifest, { allowances: [{ host: '127.0.0.1', port: upstream.port }] });
  const options = { intakeKey: INTAKE_KEY, supplier: supplierOf(tenant) };
  const connect = (...of: readonly RuntimeUnderTest[]) =>
    RuntimeClient.connect({ ...options, sockets: of.map(({ socket }) => socket) });
  const client = await connect(...runtimes);
  const place = client.placeOf(tenant.envelope().route) ?? '';
  const alone = await connect(...runtimes.slice(0, 1));
  const [leaving, staying] = alone.placeOf(tenant.envelope().route) === place ? runtimes : runtimes.toReversed();
  await alone.close();
  if (leaving === undefined || staying === undefined) throw new Error('there are two');
  const working = callOf(client, tenant.envelope(), toolCall('held'));
  await untilTrue(() => held.length === 1, 'the call is at its upstream');
  const calls: Array<Promise<string>> = [];
  const answer = async (): Promise<string> => (await callOf(client, tenant.envelope(), toolCall('echo'))).outcome;
  calls.push(answer());
  const stopped = leaving.stop();
  await untilTrue(() => {
    calls.push(answer());
    return client.placeOf(tenant.envelope().route) !== place;
  }, 'the caller knows');
  for (let more = 0; more < 20; more += 1) calls.push(answer());
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['ok']));
  const session = await new Promise<string>((resolve) => {
    const envelope = tenant.envelope({ era: 'legacy', sessionId: 'a session of it' });
    const reply = { onPart: () => undefined, onDone: () => resolve('done') };
    client.call(envelope, Buffer.from('{}'), { ...reply, onFail: ({ code }) => resolve(code) }, place);
  });
  expect(session).toBe('session_not_found');
  held[0]?.();
  expect((await working).outcome).toBe('ok');
  await stopped;
  expect(staying.workers().length).toBeGreaterThan(0);
  await client.close();
});
