import type { UpstreamFailure } from './upstream-failure.js';
import type { HopAnswer } from './upstream-request.js';

const BACKOFF_MS = 100;
const BACKOFF_MS_MAX = 2_000;
/** Statuses that say "not now" (RFC 9110, 15.6.3 to 15.6.5). */
const PASSING_STATUSES = new Set([502, 503, 504]);

/** What came of a request that was made once. */
export type Attempt =
  | { readonly kind: 'answered'; readonly answer: HopAnswer }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure };

/**
 * How long to wait before another attempt, in ms; undefined where there is to be none. Anything between nothing and the
 * whole back-off is as likely, so that those whom one failure met do not come back as one.
 */
export function retryWaitMs(
  last: Attempt,
  idempotent: boolean,
  retries: number,
  random: () => number = Math.random,
): number | undefined {
  const jitteredMs = random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** retries);
  if (last.kind === 'failed') {
    const { retry } = last.failure;
    return retry === 'always' || (retry === 'idempotent' && idempotent) ? jitteredMs : undefined;
  }
  if (!idempotent || !PASSING_STATUSES.has(last.answer.status)) return undefined;
  return jitteredMs + retryAfterMs(last.answer.headers['retry-after']);
}

/** What `Retry-After` asks for, in ms: seconds or a date (RFC 9110, 10.2.3); 0 where it says nothing. */
function retryAfterMs(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - Date.now());
}
