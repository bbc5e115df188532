import type { Server } from 'node:http';
import type { Environment } from '#libs/config';
import { AppError } from '#libs/errors';
import type { Leaving } from './leaving.js';
import { sendProblem } from './respond.js';
import { serverFor } from './server-for.js';
import type { Service } from './service.js';

/** When whoever was turned away may ask again. */
const RETRY_SECONDS = 5;

/**
 * The HTTP server of a process, which listens before its service has started only where that has to wait for somebody
 * else: it is alive then, and says at `/readyz` what it waits for.
 */
export class Hosting {
  #service: Service | undefined;
  #server: Server | undefined;
  #waitsFor: string | undefined;
  #hasBegun = false;

  constructor(
    private readonly environment: Environment,
    private readonly leaving: Leaving,
  ) {}

  /** Whether anything has begun that would have to end in order. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Is not ready, and says why, until the service is hosted. */
  async waitFor(what: string): Promise<void> {
    if (this.#waitsFor === undefined) process.stderr.write(`${what}\n`);
    this.#waitsFor = what;
    this.#server ??= await this.#listen();
  }

  /** What the service needs is there: it starts. */
  begin(): void {
    this.#hasBegun = true;
    this.#waitsFor = undefined;
  }

  /** Answers for the service from now on. */
  async host(service: Service): Promise<Server> {
    this.#service = service;
    return (this.#server ??= await this.#listen());
  }

  async #listen(): Promise<Server> {
    const server = serverFor(this.#hosted(), this.leaving);
    const port = Number(this.environment['WHARF_PORT'] ?? 0);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, this.environment['WHARF_LISTEN_HOST'] ?? '127.0.0.1', resolve);
    });
    return server;
  }

  /** The service, and before there is one what stands for it. */
  #hosted(): Service {
    const waiting: Service = {
      name: 'service',
      listener: (_request, response) => {
        const message = 'This service has not started yet. Try again shortly.';
        sendProblem(response, new AppError('unavailable', { message, retryAfterSeconds: RETRY_SECONDS }));
      },
      readiness: async () => ({ ok: false, checks: { start: this.#waitsFor ?? 'it starts' } }),
      stop: () => Promise.resolve(),
    };
    const current = (): Service => this.#service ?? waiting;
    return {
      get name() {
        return current().name;
      },
      listener: (request, response) => current().listener(request, response),
      readiness: () => current().readiness(),
      stop: () => current().stop(),
    };
  }
}
