import { AppError } from '#libs/errors';

/** How much may be on its way to clients at once before nobody reads any more, in bytes. */
export interface UnsentBounds {
  readonly tenant: number;
  readonly all: number;
}

const BOUNDS: UnsentBounds = { tenant: 32 * 1024 * 1024, all: 128 * 1024 * 1024 };
const RETRY_SECONDS = 2;

/**
 * The memory of answers that were read and that their clients have not taken yet. A turn is over when a worker has answered;
 * a client that takes its time keeps the answer here, and with too much of that its tenant reads nothing new.
 */
export class UnsentAnswers {
  #bytes = 0;
  readonly #bytesOf = new Map<string, number>();

  constructor(private readonly bounds: UnsentBounds = BOUNDS) {}

  /** @throws AppError rate_limited where clients have too much to take already */
  requireRoom(tenantId: string): void {
    const own = this.#bytesOf.get(tenantId) ?? 0;
    if (own < this.bounds.tenant && this.#bytes < this.bounds.all) return;
    throw new AppError('rate_limited', {
      message: 'Large answers that were read before are still on their way. Take them, then read this again.',
      retryAfterSeconds: RETRY_SECONDS,
      detail: { rule: 'results.unsent' },
    });
  }

  /** Counts an answer; what it returns ends that, once. */
  add(tenantId: string, bytes: number): () => void {
    this.#count(tenantId, bytes);
    let left = bytes;
    return () => {
      this.#count(tenantId, -left);
      left = 0;
    };
  }

  #count(tenantId: string, bytes: number): void {
    this.#bytes += bytes;
    const own = (this.#bytesOf.get(tenantId) ?? 0) + bytes;
    if (own === 0) this.#bytesOf.delete(tenantId);
    else this.#bytesOf.set(tenantId, own);
  }
}
