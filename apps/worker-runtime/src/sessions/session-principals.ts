import { AppError } from '#libs/errors';

/** Most sessions remembered for one worker; more than a runner keeps. */
const SESSIONS_MAX = 2_000;

/** Whose each session of a worker is. A session of somebody else is answered like one that does not exist. */
export class SessionPrincipals {
  readonly #principals = new Map<string, string>();

  /** How many sessions are alive as far as is known. */
  get size(): number {
    return this.#principals.size;
  }

  /** Binds a session at its first use; later uses must be the same principal's. @throws AppError session_not_found, unavailable */
  claim(sessionId: string, principal: string): void {
    const owner = this.#principals.get(sessionId);
    if (owner === principal) return;
    if (owner !== undefined) throw new AppError('session_not_found');
    if (this.#principals.size >= SESSIONS_MAX) throw new AppError('unavailable', { retryAfterSeconds: 5 });
    this.#principals.set(sessionId, principal);
  }

  /** Forgets a session that has ended or never was. */
  release(sessionId: string): void {
    this.#principals.delete(sessionId);
  }
}
