import { LRUCache } from 'lru-cache';
import { AppError } from '#libs/errors';

/**
 * Most sessions remembered for one worker: more than a runner keeps, so what is forgotten here for want of use has ended
 * there. Clients rarely end a session, so without this bound a worker would fill up for good.
 */
const SESSIONS_MAX = 2_000;

/** Whose each session of a worker is. A session of somebody else is answered like one that does not exist. */
export class SessionPrincipals {
  readonly #principals = new LRUCache<string, string>({ max: SESSIONS_MAX });

  /** How many sessions are alive as far as is known. */
  get size(): number {
    return this.#principals.size;
  }

  /** Binds a session at its first use; later uses must be the same principal's. @throws AppError session_not_found */
  claim(sessionId: string, principal: string): void {
    const owner = this.#principals.get(sessionId);
    if (owner === principal) return;
    if (owner !== undefined) throw new AppError('session_not_found');
    this.#principals.set(sessionId, principal);
  }

  /** Forgets a session that has ended or never was. */
  release(sessionId: string): void {
    this.#principals.delete(sessionId);
  }
}
