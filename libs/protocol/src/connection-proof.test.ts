import { expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Secret } from '#libs/config';
import { connectionProof, isProof } from './connection-proof.js';
import { FrameDecoder, encodeFrame } from './frames.js';
import type { CallerFrame } from './messages.js';
import { RuntimeClient } from './runtime-client.js';

const KEY = new Secret('a key that callers and runtimes share, long enough');
const OTHER = new Secret('a key that nobody gave to anybody, long enough too');
const ENVELOPE = {
  route: { tenantId: 't', key: 'r', mounts: [{ serverSlug: 's', releaseId: 'r', digest: 'd', prefix: '' }] },
  era: 'modern',
  operation: 'message',
  principal: 'p',
  deadlineMs: Date.now() + 60_000,
  contextVersion: '1',
} as const;

test('a proof is of use on its own connection and for its own side only', () => {
  const proof = connectionProof(KEY, 'caller', 'theirs', 'ours');
  expect(isProof(proof, proof)).toBe(true);
  for (const other of [
    connectionProof(KEY, 'runtime', 'theirs', 'ours'),
    connectionProof(KEY, 'caller', 'another', 'ours'),
    connectionProof(KEY, 'caller', 'theirs', 'another'),
    connectionProof(OTHER, 'caller', 'theirs', 'ours'),
  ])
    expect(isProof(proof, other)).toBe(false);
  expect(isProof(proof, undefined)).toBe(false);
});

/** What a caller sends to a listener that has a key and asks for what is secret; a `cancel` ends the listening. */
async function sentTo(key: Secret): Promise<Array<CallerFrame['t']>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wharf-proof-'));
  const socket = path.join(folder, 'runtime.sock');
  const sent: Array<CallerFrame['t']> = [];
  let finish = (): void => undefined;
  const heard = new Promise<void>((resolve) => (finish = resolve));
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.write(encodeFrame({ t: 'hello', runtimeId: 'r', version: 2, challenge: 'challenge' }));
    const decoder = new FrameDecoder<CallerFrame>();
    connection.on('data', (chunk: Buffer) => {
      for (const { header } of decoder.push(chunk)) {
        sent.push(header.t);
        answerAs(key, connection, header);
        if (header.t === 'cancel' || header.t === 'supply') finish();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const supplier = { supply: async () => ({ manifests: new Map([['d', Buffer.from('secret')]]) }) };
  const client = await RuntimeClient.connect({ sockets: [socket], intakeKey: KEY, supplier });
  const reply = { onPart: () => undefined, onDone: () => undefined, onFail: () => undefined };
  client.call(ENVELOPE, Buffer.from('{}'), reply);
  await heard;
  await client.close();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
  return sent;
}

function answerAs(key: Secret, connection: Socket, header: CallerFrame): void {
  if (header.t === 'prove') {
    const proof = connectionProof(key, 'runtime', 'challenge', header.challenge);
    connection.write(encodeFrame({ t: 'proved', proof }));
  }
  if (header.t === 'call') connection.write(encodeFrame({ t: 'want', s: header.s, digests: ['d'], context: true }));
}

test('a runtime that proves itself is supplied', async () => {
  expect(await sentTo(KEY)).toEqual(['prove', 'call', 'supply']);
});

test('a listener without the key is supplied with nothing', async () => {
  expect(await sentTo(OTHER)).toEqual(['prove', 'call', 'cancel']);
});
