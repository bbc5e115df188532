import { expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Secret } from '#libs/config';
import { until } from '#libs/testing';
import { connectionProof } from './connection-proof.js';
import { encodeFrame, FrameDecoder } from './frames.js';
import type { CallerFrame, Envelope, RuntimeFrame } from './messages.js';
import { RuntimeClient } from './runtime-client.js';

const KEY = new Secret('a key that callers and runtimes share, long enough');

/** What a runtime does with the calls that it is sent; without it, it answers them with its own name. */
type Conduct = (s: number, connection: Socket) => void;

/** A runtime of which `heard` counts the calls. */
async function startRuntime(socket: string, conduct?: Conduct) {
  const answer: Conduct = (s, connection) =>
    void connection.write(encodeFrame({ t: 'done', s, outcome: 'ok' }, Buffer.from(socket)));
  const heard = { calls: 0 };
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.write(encodeFrame({ t: 'hello', runtimeId: 'r', version: 2, challenge: 'challenge' }));
    const decoder = new FrameDecoder<CallerFrame>();
    connection.on('data', (chunk: Buffer) => {
      for (const { header } of decoder.push(chunk)) {
        if (header.t === 'prove') {
          const proof = connectionProof(KEY, 'runtime', 'challenge', header.challenge);
          connection.write(encodeFrame({ t: 'proved', proof }));
        }
        if (header.t !== 'call') continue;
        heard.calls += 1;
        (conduct ?? answer)(header.s, connection);
      }
    });
    stopped.then(
      () => connection.destroy(),
      () => undefined,
    );
  });
  let end = (): void => undefined;
  const stopped = new Promise<void>((resolve) => (end = resolve));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    heard,
    stop: () => {
      end();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function envelope(key: string): Envelope {
  const mounts = [{ serverSlug: 's', releaseId: 'r', digest: 'd', prefix: '' }];
  const route = { tenantId: 't', key, mounts };
  return {
    route,
    era: 'legacy',
    operation: 'message',
    principal: 'p',
    deadlineMs: Date.now() + 60_000,
    contextVersion: '1',
  };
}

/** Which runtime answered, or how the call failed. */
function ask(client: RuntimeClient, key: string, at?: string): Promise<string> {
  return new Promise((resolve) => {
    client.call(
      envelope(key),
      Buffer.from('{}'),
      {
        onPart: () => undefined,
        onDone: (message) => resolve(message.toString()),
        onFail: ({ code }) => resolve(code),
      },
      at,
    );
  });
}

test('a session’s calls reach the runtime that holds it from every caller, also when others come and go', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wharf-places-'));
  const sockets = ['a', 'b', 'c'].map((name) => path.join(folder, name));
  const supplier = { supply: async () => ({ manifests: new Map<string, Buffer>() }) };
  const [first] = await Promise.all(sockets.slice(0, 1).map((socket) => startRuntime(socket)));
  const connect = (known: readonly string[]) => RuntimeClient.connect({ sockets: known, intakeKey: KEY, supplier });
  const early = await connect(sockets.slice(0, 1));
  const keys = Array.from({ length: 20 }, (_, index) => `route ${index}`);
  const places = keys.map((key) => early.placeOf(envelope(key).route));
  expect(new Set(places).size).toBe(1);
  const others = await Promise.all(sockets.slice(1).map((socket) => startRuntime(socket)));
  const late = await connect(sockets);
  const moved = await Promise.all(keys.map((key) => ask(late, key)));
  expect(new Set(moved).size).toBeGreaterThan(1);
  for (const [index, key] of keys.entries()) expect(await ask(late, key, places[index])).toBe(sockets[0]);
  await first?.stop();
  const answer = await until(async () => {
    const given = await ask(late, 'route 0', places[0]);
    return given !== sockets[0] && given !== 'worker_failed' && given;
  }, 'the runtime that ended is not asked');
  expect(answer).toBe('session_not_found');
  expect(sockets.slice(1)).toContain(await ask(late, 'route 0'));
  await Promise.all([early.close(), late.close(), ...others.map((runtime) => runtime.stop())]);
  await rm(folder, { recursive: true });
});

const frame = (header: RuntimeFrame): Buffer => encodeFrame(header);
const refused = (s: number): Buffer =>
  frame({ t: 'fail', s, failure: { code: 'unavailable' }, outcome: 'refused', started: false });

/** How a runtime leaves with a call, and whether another one is sent that call then. */
const LEAVING: ReadonlyArray<readonly [string, Conduct, 'goes on' | 'worker_failed' | 'unavailable']> = [
  [
    'is refused by a runtime that stops',
    (s, to) => void to.write(Buffer.concat([frame({ t: 'draining', draining: true }), refused(s)])),
    'goes on',
  ],
  [
    'waits for its manifest at a runtime that is killed',
    (s, to) => {
      to.write(frame({ t: 'want', s, digests: ['d'], context: true }));
      setImmediate(() => to.destroy());
    },
    'goes on',
  ],
  ['may have begun at a runtime that is killed', (_, to) => void to.destroy(), 'worker_failed'],
  ['is too many at a runtime that stays', (s, to) => void to.write(refused(s)), 'unavailable'],
];

test.each(LEAVING)('a call that %s is sent to another one only if nothing of it has run', async (_, conduct, then) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'wharf-places-'));
  const [left, stays] = ['left', 'stays'].map((name) => path.join(folder, name));
  if (left === undefined || stays === undefined) throw new Error('both are named');
  const runtimes = [await startRuntime(left, conduct), await startRuntime(stays)];
  // Never supplied: whoever waits for a manifest waits on.
  const supplier = { supply: () => new Promise<never>(() => undefined) };
  const client = await RuntimeClient.connect({ sockets: [left, stays], intakeKey: KEY, supplier });
  const alone = await RuntimeClient.connect({ sockets: [left], intakeKey: KEY, supplier });
  const place = alone.placeOf(envelope('any').route);
  await alone.close();
  const keys = Array.from({ length: 50 }, (_unused, index) => `route ${index}`);
  const key = keys.find((each) => client.placeOf(envelope(each).route) === place) ?? '';
  expect(await ask(client, key)).toBe(then === 'goes on' ? stays : then);
  expect(runtimes.map(({ heard }) => heard.calls)).toEqual([1, then === 'goes on' ? 1 : 0]);
  await client.close();
  await Promise.all(runtimes.map((runtime) => runtime.stop()));
  await rm(folder, { recursive: true });
});
