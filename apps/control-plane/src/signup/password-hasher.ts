import { hash, verify, type Options } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors';

const RUNNING_MAX = 2;
const WAITING_MAX = 64;

/** The package's number for it: its enum exists for the compiler only. */
const ARGON2ID = 2;
/** Parameters of the OWASP password storage cheat sheet. */
const PARAMETERS: Options = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Hashes and compares passwords, two at once, so that a burst of sign-ups cannot take the memory and both cores. */
@Injectable()
export class PasswordHasher {
  #running = 0;
  readonly #waiting: Array<() => void> = [];

  /** @throws AppError `unavailable` when too many are waiting. */
  async hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password, PARAMETERS));
  }

  /** @throws AppError `unavailable` when too many are waiting. */
  async matches(password: string, passwordHash: string): Promise<boolean> {
    return this.#inTurn(() => verify(passwordHash, password));
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < RUNNING_MAX) this.#running += 1;
    else await this.#wait();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** Waits for a place that somebody hands over. */
  async #wait(): Promise<void> {
    if (this.#waiting.length >= WAITING_MAX) throw new AppError('unavailable', { retryAfterSeconds: 5 });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
