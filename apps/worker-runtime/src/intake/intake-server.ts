import { mkdir, unlink } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import path from 'node:path';
import { CallerConnection } from './caller-connection.js';
import type { IntakeRooms } from './intake-rooms.js';

const CONNECTIONS_MAX = 64;
const DRAIN_MS = 10_000;
const DRAIN_STEP_MS = 50;

/** Listens on the unix socket that only this account may open. */
export class IntakeServer {
  readonly #server: Server;
  readonly #connections = new Set<CallerConnection>();

  private constructor(rooms: IntakeRooms) {
    this.#server = createServer((socket) => {
      const connection = new CallerConnection(socket, rooms);
      this.#connections.add(connection);
      socket.once('close', () => this.#connections.delete(connection));
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Listens on a path, in place of a socket that a crash left there. @throws Error when another runtime listens on it */
  static async listen(socketPath: string, rooms: IntakeRooms): Promise<IntakeServer> {
    await mkdir(path.dirname(socketPath), { recursive: true, mode: 0o700 });
    await removeStale(socketPath);
    const intake = new IntakeServer(rooms);
    await intake.#listen(socketPath);
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
    const untilMs = Date.now() + DRAIN_MS;
    while (Date.now() < untilMs && [...this.#connections].some(({ size }) => size > 0)) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_STEP_MS));
    }
    for (const connection of this.#connections) connection.close();
    await closed;
  }

  #listen(socketPath: string): Promise<void> {
    // The mask makes the socket ours alone from its first moment; a chmod afterwards would leave a gap.
    const mask = process.umask(0o177);
    try {
      return new Promise((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(socketPath, resolve);
      });
    } finally {
      process.umask(mask);
    }
  }
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
