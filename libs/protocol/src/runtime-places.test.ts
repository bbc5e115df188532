import { expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Secret } from '#libs/config';
import { until } from '#libs/testing';
import { encodeFrame, FrameDecoder } from './frames.js';
import type { CallerFrame, Envelope } from './messages.js';
import { RuntimeClient } from './runtime-client.js';

const KEY = new Secret('a key that callers and runtimes share, long enough');

/** A runtime that answers every call with its own name. */
async function startRuntime(socket: string): Promise<{ readonly server: Server; stop(): Promise<void> }> {
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.write(encodeFrame({ t: 'hello', runtimeId: 'r', version: 2, challenge: 'challenge' }));
    const decoder = new FrameDecoder<CallerFrame>();
    connection.on('data', (chunk: Buffer) => {
      for (const { header } of decoder.push(chunk))
        if (header.t === 'call')
          connection.write(encodeFrame({ t: 'done', s: header.s, outcome: 'ok' }, Buffer.from(socket)));
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
    server,
    stop: () => {
      end();
      return new Promise((resolve) => server.close(() => resolve()));
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
  const [first] = await Promise.all(sockets.slice(0, 1).map(startRuntime));
  const connect = (known: readonly string[]) => RuntimeClient.connect({ sockets: known, intakeKey: KEY, supplier });
  const early = await connect(sockets.slice(0, 1));
  const keys = Array.from({ length: 20 }, (_, index) => `route ${index}`);
  const places = keys.map((key) => early.placeOf(envelope(key).route));
  expect(new Set(places).size).toBe(1);
  const others = await Promise.all(sockets.slice(1).map(startRuntime));
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
