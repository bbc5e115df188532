import { AwsCredentialsError, type AwsCredentials, type CredentialSource } from './aws-credentials.js';

/** From so long before their end, new ones are fetched beside the calls that go on with the old. */
const EARLY_MS = 5 * 60_000;
/** From so long before their end, calls wait for the new ones. */
const LATE_MS = 60_000;
/** A source that failed is not asked again sooner while what there is still serves. */
const PAUSE_MS = 10_000;

/**
 * Keeps what a source gave until shortly before it expires. However many ask at once, the source is asked once; one
 * that fails while what there is has not expired disturbs nobody.
 */
export class KeptCredentials {
  #kept: AwsCredentials | undefined;
  #coming: Promise<AwsCredentials> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly source: CredentialSource,
    private readonly now: () => number = Date.now,
  ) {}

  /** Credentials that have not expired. @throws AwsCredentialsError */
  async get(): Promise<AwsCredentials> {
    const kept = this.#kept;
    const leftMs = kept === undefined ? 0 : (kept.expiresAtMs ?? Number.POSITIVE_INFINITY) - this.now();
    if (kept === undefined || leftMs <= 0) return this.#fetched();
    if (leftMs > EARLY_MS || (this.#coming === undefined && this.now() - this.#askedAtMs < PAUSE_MS)) return kept;
    const next = this.#fetched().catch(() => kept);
    return leftMs > LATE_MS ? kept : next;
  }

  #fetched(): Promise<AwsCredentials> {
    this.#coming ??= this.#fetch().finally(() => {
      this.#coming = undefined;
    });
    return this.#coming;
  }

  async #fetch(): Promise<AwsCredentials> {
    this.#askedAtMs = this.now();
    try {
      const fetched = await this.source();
      if (fetched.expiresAtMs !== undefined && fetched.expiresAtMs <= this.now())
        throw new AwsCredentialsError(
          'unavailable',
          'The AWS credentials that were given had expired already. See to this machine’s clock.',
        );
      this.#kept = fetched;
      return fetched;
    } catch (error) {
      // Who had credentials before is not configured wrongly: a source that says no now may say yes again.
      if (this.#kept === undefined || !(error instanceof AwsCredentialsError)) throw error;
      throw new AwsCredentialsError('unavailable', error.message, error);
    }
  }
}
