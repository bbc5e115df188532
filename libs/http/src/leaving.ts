import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError, type Environment } from '#libs/config';
import { sendJson } from './respond.js';

const LEAVE_MS_MAX = 60_000;

/**
 * The time between being told to stop and taking nothing new: a service says that it is not ready, and goes on answering
 * until balancers have looked and send it nothing more. Its connections close with their next answer.
 */
export class Leaving {
  #leaving = false;

  constructor(private readonly lastsMs: number) {}

  /** Reads `WHARF_LEAVE_MS`. @throws ConfigError */
  static of(environment: Environment): Leaving {
    const text = environment['WHARF_LEAVE_MS'] ?? '0';
    const lastsMs = Number(text);
    if (!Number.isInteger(lastsMs) || lastsMs < 0 || lastsMs > LEAVE_MS_MAX || text.trim() === '')
      throw new ConfigError(`WHARF_LEAVE_MS is wrong: write whole milliseconds, 0 to ${LEAVE_MS_MAX}.`);
    return new Leaving(lastsMs);
  }

  /** Begins it; resolves when it is over. */
  async begin(): Promise<void> {
    this.#leaving = true;
    if (this.lastsMs > 0) await pause(this.lastsMs);
  }

  /** Lets a connection close after this answer; true where the question was whether we are ready, and is answered. */
  answers(request: IncomingMessage, response: ServerResponse): boolean {
    if (!this.#leaving) return false;
    response.shouldKeepAlive = false;
    if (request.method !== 'GET' || request.url !== '/readyz') return false;
    sendJson(response, 503, {
      service: { ok: false, checks: { stopping: 'it stops, and takes nothing new shortly' } },
    });
    return true;
  }
}
