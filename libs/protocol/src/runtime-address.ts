import { createHmac } from 'node:crypto';
import { createConnection, isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Secret } from '#libs/config';

/** Where a worker-runtime listens: on this machine, or on another one. */
export type RuntimeAddress =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'tls'; readonly host: string; readonly port: number };

const TLS_ADDRESS = /^tls:\/\/(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;
const CALLER = 'wharf caller';
const SILENCE_MS = 15_000;

/** The one cipher suite that a bare key works with: its hash is SHA-256 (RFC 8446, 4.2.11). */
export const INTAKE_TLS = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } as const;

/** Reads an address: the path of a unix socket, or `tls://host:port`. @throws Error for a `tls:` URL that is not one */
export function parseRuntimeAddress(text: string): RuntimeAddress {
  if (!text.startsWith('tls:')) return { kind: 'socket', path: text };
  const [, bracketed, plain, port] = TLS_ADDRESS.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) throw new Error(`"${text}" is not tls://host:port`);
  return { kind: 'tls', host, port: Number(port) };
}

/** An address as it is configured. */
export function writeRuntimeAddress(address: RuntimeAddress): string {
  if (address.kind === 'socket') return address.path;
  const host = isIP(address.host) === 6 ? `[${address.host}]` : address.host;
  return `tls://${host}:${address.port}`;
}

/**
 * The pre-shared key of TLS between callers and runtimes: both sides prove that they have the intake key, without
 * certificates and with forward secrecy (RFC 8446, 2.2). The frames' own proof of the connection comes on top.
 */
export function intakeTlsKey(intakeKey: Secret): Buffer {
  return createHmac('sha256', intakeKey.reveal()).update('wharf intake tls 1').digest();
}

/** Opens a connection to a runtime; it is usable once it emits `connect` or `secureConnect`, and writes wait until then. */
export function openRuntimeSocket(address: RuntimeAddress, intakeKey: Secret): Socket {
  return address.kind === 'socket' ? createConnection(address.path) : openTls(address, intakeKey);
}

function openTls({ host, port }: Extract<RuntimeAddress, { kind: 'tls' }>, intakeKey: Secret): TLSSocket {
  const psk = intakeTlsKey(intakeKey);
  const socket = connect({
    host,
    port,
    ...INTAKE_TLS,
    pskCallback: () => ({ psk, identity: CALLER }),
    // A runtime knows the key and shows no certificate. Whoever shows one instead is somebody else, whoever signed it.
    checkServerIdentity: (_host, certificate) =>
      Object.keys(certificate).length === 0 ? undefined : new Error('this is not a worker-runtime'),
  });
  return socket.setNoDelay(true).setKeepAlive(true, SILENCE_MS);
}
