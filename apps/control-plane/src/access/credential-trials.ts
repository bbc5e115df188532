import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '#libs/errors';
import { LocalRate, type Rate } from '#libs/limits';
import type { ControlPlaneConfig } from '../config.js';
import { credentialOf } from '../credentials/credential.js';
import type { ManagedRequest } from '../edge/managed-request.js';
import { sourceOf } from '../edge/source.js';
import { CONFIG } from '../platform/tokens.js';

const KNOWN_MAX = 20_000;
const KNOWN_MS = 60 * 60 * 1_000;

/** One credential's way to its proof, which ends in one of three ways. */
export interface Trial {
  /** Whose it was when it was proved before; it is proved again all the same. */
  readonly holder: string | undefined;
  proved(holder: string): void;
  refused(): void;
  /** Nobody could say: what was needed for the proof was away. */
  undecided(): void;
}

const WITHOUT_CREDENTIAL: Trial = {
  holder: undefined,
  proved: () => undefined,
  refused: () => undefined,
  undecided: () => undefined,
};

/**
 * Bounds the credentials that one address may try in vain in a minute, before the database is asked about them. One
 * address may be many people: credentials that this process has seen proved within the hour are not held up by what
 * others there get wrong, and of unknown ones one is let through for each that the minute gives back. A trial counts
 * as refused until it ends, so that many at once are no more than one after another.
 */
@Injectable()
export class CredentialTrials {
  readonly #known = new LRUCache<string, string>({ max: KNOWN_MAX, ttl: KNOWN_MS });
  readonly #refused = new LocalRate();
  readonly #rate: Rate;

  constructor(@Inject(CONFIG) config: ControlPlaneConfig) {
    const max = config.WHARF_REFUSED_CREDENTIALS_PER_MINUTE;
    this.#rate = { perMinute: max, burst: max };
  }

  /** @throws AppError `rate_limited`, or `invalid_request` for two credentials at once. */
  start(request: ManagedRequest): Trial {
    const text = credentialOf(request);
    if (text === undefined) return WITHOUT_CREDENTIAL;
    const hash = createHash('sha256').update(text).digest('base64url');
    const source = sourceOf(request.origin.sourceAddress);
    const holder = this.#known.get(hash);
    if (holder === undefined) this.#reserve(source);
    const giveBack = (): void => {
      if (holder === undefined) this.#refused.giveBack(source, this.#rate);
    };
    return {
      holder,
      proved: (of) => {
        this.#known.set(hash, of);
        giveBack();
      },
      refused: () => {
        this.#known.delete(hash);
        if (holder !== undefined) this.#refused.take(source, this.#rate);
      },
      undecided: giveBack,
    };
  }

  #reserve(source: string): void {
    const waitUs = this.#refused.take(source, this.#rate);
    if (waitUs === 0) return;
    throw new AppError('rate_limited', {
      message: 'Too many credentials from this address were refused. Wait before trying again.',
      retryAfterSeconds: Math.ceil(waitUs / 1_000_000),
      limit: { name: 'management.refused_credentials', quota: this.#rate.perMinute, windowSeconds: 60 },
    });
  }
}
