import { z } from 'zod';
import type { Database } from '#libs/database';
import { randomText } from '../federated-sign-in/attempts.js';
import { OneTimeStore } from '../provider/artifacts/one-time-store.js';
import type { RowSeals } from '../provider/artifacts/row-seals.js';

const ATTEMPT_SECONDS = 10 * 60;

const attemptSchema = z.object({
  tenantId: z.string(),
  tenantSlug: z.string(),
  connectorId: z.string(),
  connector: z.string(),
  /** Whose login it will be: who began it, in the browser session that they began it in. */
  accountId: z.string(),
  sessionUid: z.string(),
  /** The hash of what only this browser's cookie holds. */
  browser: z.string(),
  issuer: z.string(),
  /** Where they were told that their token may be sent. */
  origins: z.array(z.string()),
  /** What they are asked to allow. */
  scopes: z.array(z.string()),
  /** The connector as it was when they left. */
  mark: z.string(),
  verifier: z.string(),
});

/** A person who was sent to an upstream to log in there. */
export type LoginAttempt = z.infer<typeof attemptSchema>;

/**
 * What waits while people are at an upstream: in PostgreSQL, sealed, under a hash of the `state` that the browser brings
 * back. States of an attempt: begun → taken, by the first who brings it; begun → expired.
 */
export class LoginAttempts {
  readonly #store: OneTimeStore;

  constructor(database: Database, seals: RowSeals) {
    this.#store = new OneTimeStore('ConnectionAttempt', database, seals);
  }

  /** Begins an attempt; its `state` is good once, for ten minutes. */
  async begin(attempt: LoginAttempt): Promise<string> {
    const state = randomText();
    await this.#store.upsert(state, { ...attempt }, ATTEMPT_SECONDS);
    return state;
  }

  /** The attempt with a state, while nobody has taken it. */
  async find(state: string): Promise<LoginAttempt | undefined> {
    return attemptSchema.optional().parse(await this.#store.find(state));
  }

  /** Takes an attempt; of several at once one gets it. */
  async take(state: string): Promise<LoginAttempt | undefined> {
    return attemptSchema.optional().parse(await this.#store.take(state));
  }
}
