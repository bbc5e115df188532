import type { JWK } from 'jose';
import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import { provideSigningKeys, showSigningKeyAge } from './signing-keys.js';

/** How keys are followed. */
export interface KeyRingOptions {
  readonly database: Database;
  readonly masterKey: Secret;
  readonly logger: Logger;
  /** How old a signing key may grow. */
  readonly daysMax: number;
  /** How often the keys are looked at. */
  readonly everyMs: number;
}

/** The issuer's keys as they are now: looked at again and again, so that every instance goes along with a rotation. */
export class KeyRing {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  readonly #hideAge: () => void;

  private constructor(
    private readonly options: KeyRingOptions,
    private keys: readonly JWK[],
  ) {
    this.#hideAge = showSigningKeyAge(options.database);
  }

  /** Opens the ring; the first key is made where there is none. */
  static async open(options: KeyRingOptions): Promise<KeyRing> {
    return new KeyRing(options, await keysOf(options));
  }

  /** The private keys, the one that signs first. */
  get current(): readonly JWK[] {
    return this.keys;
  }

  /** Calls `onChange` whenever the keys, or which of them signs, have changed. */
  follow(onChange: (keys: readonly JWK[]) => void): void {
    const { everyMs, logger } = this.options;
    this.#timer = setInterval(() => {
      this.#looking = this.#looking
        .then(() => this.#look(onChange))
        .catch((error: unknown) => logger.warn({ err: error }, 'the signing keys could not be looked at'));
    }, everyMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#hideAge();
    await this.#looking;
  }

  async #look(onChange: (keys: readonly JWK[]) => void): Promise<void> {
    const keys = await keysOf(this.options);
    if (namesOf(keys) === namesOf(this.keys)) return;
    this.keys = keys;
    this.options.logger.info({ kids: keys.map(({ kid }) => kid) }, 'the signing keys have changed');
    onChange(keys);
  }
}

function keysOf({ database, masterKey, daysMax }: KeyRingOptions): Promise<JWK[]> {
  return provideSigningKeys(database, masterKey, daysMax);
}

function namesOf(keys: readonly JWK[]): string {
  return keys.map(({ kid }) => kid).join(' ');
}
