import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Database } from '#libs/database';
import { OneTimeStore } from '../provider/artifacts/one-time-store.js';
import type { RowSeals } from '../provider/artifacts/row-seals.js';

const ATTEMPT_SECONDS = 10 * 60;
const ARRIVAL_SECONDS = 60;

const attemptSchema = z.object({
  /** The interaction that the person left, and comes back to. */
  interaction: z.string(),
  tenantId: z.string(),
  tenantSlug: z.string(),
  providerId: z.string(),
  clientId: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** Where the agent wants to connect; absent for the management API. */
  trail: z
    .object({ resource: z.string(), serverSlug: z.string().optional(), challenge: z.string().optional() })
    .optional(),
  /** What the person was told about being passed on to other servers. */
  told: z.array(z.string()).optional(),
  /** The hash of what only this browser's cookie holds. */
  browser: z.string(),
});

const arrivedSchema = z.object({ interaction: z.string(), accountId: z.string(), told: attemptSchema.shape.told });

/** A person who was sent to a provider, after they agreed to what the client asks for. */
export type Attempt = z.infer<typeof attemptSchema>;

/** Somebody who came back and was let in, on the way to the interaction that they left. */
export type Arrived = z.infer<typeof arrivedSchema>;

/** A random value that is a credential until it is used. */
export function randomText(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored of a browser's secret. */
export function hashOfBrowser(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Whether a browser's cookie is the one an attempt began with. */
export function isBrowserOf(attempt: Attempt, secret: string): boolean {
  const [known, given] = [Buffer.from(attempt.browser), Buffer.from(hashOfBrowser(secret))];
  return known.length === given.length && timingSafeEqual(known, given);
}

/**
 * What waits while people are at their provider: in PostgreSQL, sealed, under hashes of what the browser brings back.
 * States of an attempt: begun → taken, by the first who brings its `state` from the same browser; begun → expired.
 */
export class Attempts {
  readonly #attempts: OneTimeStore;
  readonly #arrivals: OneTimeStore;
  readonly #assertions: OneTimeStore;

  constructor(database: Database, seals: RowSeals) {
    this.#attempts = new OneTimeStore('FederationAttempt', database, seals);
    this.#arrivals = new OneTimeStore('FederationArrival', database, seals);
    this.#assertions = new OneTimeStore('AssertionUse', database, seals);
  }

  /** Begins an attempt; its `state` is good once, for ten minutes. */
  async begin(attempt: Attempt): Promise<string> {
    return keep(this.#attempts, attempt, ATTEMPT_SECONDS);
  }

  /** The attempt with a state, while nobody has taken it. */
  async find(state: string): Promise<Attempt | undefined> {
    return attemptSchema.optional().parse(await this.#attempts.find(state));
  }

  /** Takes an attempt; of several at once one gets it. */
  async take(state: string): Promise<Attempt | undefined> {
    return attemptSchema.optional().parse(await this.#attempts.take(state));
  }

  /** Notes that somebody was let in; returns the ticket that takes them back, once, within a minute. */
  async arrive(arrived: Arrived): Promise<string> {
    return keep(this.#arrivals, arrived, ARRIVAL_SECONDS);
  }

  /** Who a ticket is for. */
  async redeem(ticket: string): Promise<Arrived | undefined> {
    return arrivedSchema.optional().parse(await this.#arrivals.take(ticket));
  }

  /** Whether an assertion of a tenant's provider was not used before; from now on it was. */
  async isFirstUse(use: { tenantId: string; issuer: string; jti: string; seconds: number }): Promise<boolean> {
    return this.#assertions.noteFirst(JSON.stringify([use.tenantId, use.issuer, use.jti]), use.seconds);
  }
}

async function keep(store: OneTimeStore, value: Attempt | Arrived, seconds: number): Promise<string> {
  const id = randomText();
  await store.upsert(id, { ...value }, seconds);
  return id;
}
