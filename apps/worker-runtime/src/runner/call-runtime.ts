import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';

const SILENCE_MS = 15_000;

/**
 * Calls the worker-runtime of a runner in a pod; the arguments are its host and port, the pod's name, and the file with
 * the key that they share.
 */
export function callRuntime([host = '', port, name = '', keyFile = '']: readonly string[]): Duplex {
  const key = readFileSync(keyFile);
  const socket = connect({
    host,
    port: Number(port),
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256', // what a bare key works with, see the other side
    pskCallback: () => ({ psk: key, identity: name }),
    // Our runtime knows the key and shows no certificate. Whoever shows one instead is somebody else, whoever signed it.
    checkServerIdentity: (_host, certificate) =>
      Object.keys(certificate).length === 0 ? undefined : new Error('this is not our worker-runtime'),
  });
  socket.on('error', (error) => process.stderr.write(`worker-runtime not reached: ${error.message}\n`));
  socket.setNoDelay(true).setTimeout(SILENCE_MS, () => socket.destroy());
  socket.once('secureConnect', () => socket.setTimeout(0).setKeepAlive(true, SILENCE_MS));
  return socket;
}
