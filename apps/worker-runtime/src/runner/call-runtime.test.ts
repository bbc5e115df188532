import { afterEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { selfSigned } from '#libs/testing';
import { callRuntime } from './call-runtime.js';

const trusted = getCACertificates('default');
const folder = mkdtempSync(path.join(tmpdir(), 'wharf-call-'));
afterEach(() => {
  setDefaultCACertificates(trusted);
  rmSync(folder, { recursive: true });
});

test('says nothing to a server that shows a certificate in place of the key, although this machine trusts it', async () => {
  const certificate = selfSigned('127.0.0.1');
  setDefaultCACertificates([certificate.cert]);
  let heard = '';
  const server = createServer({ ...certificate, ciphers: 'TLS_AES_128_GCM_SHA256' }, (socket) => {
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString())).on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  writeFileSync(path.join(folder, 'key'), Buffer.alloc(32, 7));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const { pipe: call } = callRuntime(['127.0.0.1', `${port}`, 'pod-a', path.join(folder, 'key')]);
  call.write('ready');
  const error = await new Promise<Error>((resolve) => call.once('error', resolve));
  expect([error.message, heard]).toEqual(['this is not our worker-runtime', '']);
  await new Promise((resolve) => server.close(resolve));
});
