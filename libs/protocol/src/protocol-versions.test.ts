import { afterAll, afterEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Secret } from '#libs/config';
import { encodeFrame, FrameDecoder } from './frames.js';
import type { CallerFrame, Envelope, FrameFailure, RuntimeFrame } from './messages.js';
import { sharedVersion, SPOKEN } from './protocol-versions.js';
import { RuntimeClient } from './runtime-client.js';

const folder = mkdtempSync(path.join(tmpdir(), 'wharf-versions-'));
const open: Array<() => Promise<unknown>> = [];
let socketNumber = 0;

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Hello = Partial<Extract<RuntimeFrame, { t: 'hello' }>>;

/** A runtime that says this hello and answers calls with `ok`; returns a client of it and the proofs and calls it was sent. */
async function clientOf(hello: Hello) {
  const socket = path.join(folder, `${(socketNumber += 1)}.sock`);
  const proofs: CallerFrame[] = [];
  const calls: Array<Extract<CallerFrame, { t: 'call' }>> = [];
  const server: Server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.write(encodeFrame({ t: 'hello', runtimeId: 'r', version: 2, challenge: 'c', ...hello }));
    const decoder = new FrameDecoder<CallerFrame>();
    connection.on('data', (chunk: Buffer) => {
      for (const { header } of decoder.push(chunk)) {
        if (header.t === 'prove') proofs.push(header);
        if (header.t !== 'call') continue;
        calls.push(header);
        connection.write(encodeFrame({ t: 'done', s: header.s, outcome: 'ok' }));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const supplier = { supply: async () => ({ manifests: new Map<string, Buffer>() }) };
  const intakeKey = new Secret('a key that callers and runtimes share, long enough');
  const client = await RuntimeClient.connect({ sockets: [socket], intakeKey, supplier });
  open.push(async () => {
    await client.close();
    await new Promise((resolve) => server.close(resolve));
  });
  return { client, proofs, calls };
}

function callAt(
  client: RuntimeClient,
  serverSlug: string,
  guard?: Envelope['guard'],
): Promise<'ok' | FrameFailure['code']> {
  const mounts = [{ serverSlug, releaseId: 'r', digest: 'd', prefix: '' }];
  const envelope: Envelope = {
    route: { tenantId: 't', key: serverSlug, mounts },
    era: 'modern',
    operation: 'message',
    principal: 'p',
    deadlineMs: Date.now() + 60_000,
    contextVersion: '1',
    ...(guard === undefined ? {} : { guard }),
  };
  return new Promise((resolve) => {
    client.call(envelope, Buffer.from('{}'), {
      onPart: () => undefined,
      onDone: () => resolve('ok'),
      onFail: ({ code }) => resolve(code),
    });
  });
}

test.each([-5, 0, 5])('a runtime whose clock is %i minutes ahead is told deadlines by its own', async (minutes) => {
  const aheadMs = minutes * 60_000;
  const { client, calls } = await clientOf({ atMs: Date.now() + aheadMs });
  await expect(callAt(client, 'notes')).resolves.toBe('ok');
  const late = (calls[0]?.envelope.deadlineMs ?? 0) - (Date.now() + aheadMs + 60_000);
  expect(Math.abs(late)).toBeLessThan(50_000);
});

test('two ranges share their highest common version, or none', () => {
  expect(sharedVersion({ from: 2, to: 3 }, { from: 2, to: 2 })).toBe(2);
  expect(sharedVersion({ from: 2, to: 3 }, { from: 3, to: 9 })).toBe(3);
  expect(sharedVersion({ from: 2, to: 3 }, { from: 4, to: 5 })).toBeUndefined();
});

test('a runtime of the release before is called, but not for environments, which it would not keep apart', async () => {
  const { client, proofs } = await clientOf({});
  expect([await callAt(client, 'shop'), await callAt(client, 'shop~staging')]).toEqual(['ok', 'unavailable']);
  expect(proofs).toEqual([{ t: 'prove', challenge: expect.any(String), proof: expect.any(String) }]);
});

test('a runtime that does not know result guards is not called for a guarded server, which it would let say anything', async () => {
  const { client, calls } = await clientOf({ versions: { from: 2, to: 7 } });
  const guard = { max_bytes: 1_024, personal_data: null };
  expect([await callAt(client, 'shop'), await callAt(client, 'shop', guard)]).toEqual(['ok', 'unavailable']);
  const { route } = calls[0]?.envelope ?? {};
  expect(route && [client.placeOf(route), client.placeOf(route, guard)]).toEqual([expect.any(String), undefined]);
  const { client: newer } = await clientOf({ versions: { from: 2, to: 8 } });
  expect(await callAt(newer, 'shop', guard)).toBe('ok');
});

test('a runtime of this release, or of a later one that still speaks as this one, is told the version that was chosen', async () => {
  const { client, proofs } = await clientOf({ versions: { from: 3, to: SPOKEN.to + 1 } });
  expect([await callAt(client, 'shop'), await callAt(client, 'shop~staging')]).toEqual(['ok', 'ok']);
  expect(proofs).toMatchObject([{ version: SPOKEN.to }]);
});

test.each([
  [{ version: 1 }, 'Upgrade the worker-runtime'],
  [{ versions: { from: SPOKEN.to + 1, to: SPOKEN.to + 2 } }, 'Upgrade this service'],
])('a runtime that shares no version is not called, and it is said why: %j', async (hello, advice) => {
  const { client } = await clientOf(hello);
  expect([client.ready, await callAt(client, 'shop')]).toEqual([false, 'unavailable']);
  expect(client.problems).toEqual([expect.stringContaining(advice)]);
});
