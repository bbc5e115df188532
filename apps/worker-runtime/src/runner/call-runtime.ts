import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';

const SILENCE_MS = 15_000;

/** What a runner in a pod calls its worker-runtime for. */
interface RuntimeCalled {
  readonly pipe: Duplex;
  /** The way out for code of others, where there is to be such code. */
  readonly outlet: Duplex | undefined;
}

/**
 * Calls the worker-runtime of a runner in a pod; the arguments are its host and port, then for each connection its name
 * and the file with the key that opens it.
 */
export function callRuntime([host = '', port = '', ...connections]: readonly string[]): RuntimeCalled {
  const [name = '', keyFile = '', outletName, outletFile] = connections;
  const pipe = call({ host, port: Number(port), name, keyFile });
  if (outletName === undefined || outletFile === undefined) return { pipe, outlet: undefined };
  return { pipe, outlet: call({ host, port: Number(port), name: outletName, keyFile: outletFile }) };
}

interface Connection {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly keyFile: string;
}

function call({ host, port, name, keyFile }: Connection): Duplex {
  const key = readFileSync(keyFile);
  const socket = connect({
    host,
    port,
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
