import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Logger } from '#libs/telemetry';

const HANDSHAKE_MS = 10_000;
const KEY_BYTES = 32;
/** Strangers may hold this many connections; those of pods are bounded by the workers there may be. */
const CONNECTIONS_MAX = 4_096;

/** A pod that was told a key and has not called yet. */
interface Expected {
  readonly key: Buffer;
  readonly arrive: (socket: TLSSocket) => void;
}

/**
 * Where pods call us: TLS 1.3 with a key that only we and one pod know, so each side proves itself to the other without
 * certificates (RFC 8446, 2.2; forward secret by the key exchange beside it). A key opens one connection, once.
 *
 *     expected ──handshake with its key──► arrived, key forgotten
 *     expected ──forget──► forgotten
 */
export class PodGate {
  readonly #server: Server;
  readonly #expected = new Map<string, Expected>();
  readonly #callers = new WeakMap<TLSSocket, string>();
  readonly #sockets = new Set<TLSSocket>();

  private constructor(logger: Logger) {
    this.#server = createServer({
      minVersion: 'TLSv1.3',
      ciphers: 'TLS_AES_128_GCM_SHA256', // one whose hash is SHA-256, which a key without a hash of its own is for
      handshakeTimeout: HANDSHAKE_MS,
      noDelay: true,
      keepAlive: true,
      pskCallback: (socket, name) => {
        this.#callers.set(socket, name);
        return this.#expected.get(name)?.key ?? null;
      },
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on('secureConnection', (socket) => this.#arrived(socket));
    this.#server.on('tlsClientError', (error) => logger.debug({ error: error.message }, 'a caller is no pod of ours'));
  }

  /** Listens for pods. @throws Error when the port is taken */
  static async listen(port: number, logger: Logger): Promise<PodGate> {
    const gate = new PodGate(logger);
    await new Promise<void>((resolve, reject) => {
      gate.#server.once('error', reject);
      gate.#server.listen(port, resolve);
    });
    return gate;
  }

  /** The port that pods call. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  /** Expects a pod; the key is for it alone. `arrive` comes at most once, and not after `forget`. */
  expect(name: string, arrive: (socket: TLSSocket) => void): Buffer {
    const key = randomBytes(KEY_BYTES);
    this.#expected.set(name, { key, arrive });
    return key;
  }

  /** The pod will not come any more. */
  forget(name: string): void {
    this.#expected.delete(name);
  }

  /** Listens no longer and ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #arrived(socket: TLSSocket): void {
    socket.on('error', () => undefined); // its close says it
    const name = this.#callers.get(socket);
    const expected = name === undefined ? undefined : this.#expected.get(name);
    if (name === undefined || expected === undefined) {
      socket.destroy(); // the key was used before, or a session is resumed, which nobody of ours does
      return;
    }
    this.#expected.delete(name);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    expected.arrive(socket);
  }
}
