import { mkdir, unlink } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { INTAKE_TLS, intakeTlsKey, parseRuntimeAddress, type RuntimeAddress } from '#libs/protocol';
import { CallerConnection } from './caller-connection.js';
import type { IntakeRooms } from './intake-rooms.js';

const CONNECTIONS_MAX = 1_024;
const HANDSHAKE_MS = 5_000;
const DRAIN_MS = 10_000;
const DRAIN_STEP_MS = 50;
/** What callers sent before they heard that we stop arrives within this, and is refused. */
const CROSSING_MS = 250;

/** Listens where callers reach it: a unix socket that only this account may open, or TLS that only the intake key opens. */
export class IntakeServer {
  readonly #server: Server;
  readonly #connections = new Set<CallerConnection>();

  private constructor(address: RuntimeAddress, rooms: IntakeRooms) {
    const take = (socket: Socket): void => {
      const connection = new CallerConnection(socket, rooms);
      this.#connections.add(connection);
      socket.once('close', () => this.#connections.delete(connection));
    };
    this.#server = address.kind === 'socket' ? createServer(take) : tlsServer(rooms, take);
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /**
   * Listens at an address; on a path, in place of a socket that a crash left there.
   * @throws Error when another runtime listens on it
   */
  static async listen(text: string, rooms: IntakeRooms): Promise<IntakeServer> {
    const address = parseRuntimeAddress(text);
    if (address.kind === 'socket') {
      await mkdir(path.dirname(address.path), { recursive: true, mode: 0o700 });
      await removeStale(address.path);
    }
    const intake = new IntakeServer(address, rooms);
    await intake.#listen(address);
    return intake;
  }

  /** @throws Error when nobody can reach it */
  check(): void {
    if (!this.#server.listening) throw new Error('it does not listen on its socket');
  }

  /** Takes nothing new, lets exchanges end within the drain time, closes what is left. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const connection of this.#connections) connection.drain();
    const [firstMs, untilMs] = [Date.now() + CROSSING_MS, Date.now() + DRAIN_MS];
    const works = (): boolean => [...this.#connections].some(({ size }) => size > 0 || Date.now() < firstMs);
    while (Date.now() < untilMs && works()) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_STEP_MS));
    }
    for (const connection of this.#connections) connection.close();
    await closed;
  }

  #listen(address: RuntimeAddress): Promise<void> {
    const place = address.kind === 'socket' ? { path: address.path } : { host: address.host, port: address.port };
    // The mask makes the socket ours alone from its first moment; a chmod afterwards would leave a gap.
    const mask = process.umask(0o177);
    try {
      return new Promise((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(place, resolve);
      });
    } finally {
      process.umask(mask);
    }
  }
}

/** A key opens it, no certificate: whoever has the intake key is one of ours. */
function tlsServer({ intakeKey, logger }: IntakeRooms, take: (socket: Socket) => void): Server {
  const psk = intakeTlsKey(intakeKey);
  const options = { ...INTAKE_TLS, handshakeTimeout: HANDSHAKE_MS, noDelay: true, keepAlive: true };
  const server = createTlsServer({ ...options, pskCallback: () => psk }, take);
  server.on('tlsClientError', (error) => logger.warn({ error: error.message }, 'a caller does not have our key'));
  return server;
}

async function removeStale(socketPath: string): Promise<void> {
  const alive = await new Promise<boolean>((resolve) => {
    const probe = createConnection(socketPath);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (alive)
    throw new Error(
      `Another worker-runtime listens on ${socketPath}. Stop it, or give this one a WHARF_RUNTIME_SOCKETS of its own.`,
    );
  await unlink(socketPath).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
