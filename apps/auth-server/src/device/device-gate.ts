import type { KoaContextWithOIDC } from 'oidc-provider';
import { AppError } from '#libs/errors';
import { messagePage } from '../interactions/pages.js';
import type { Allowance, AttemptCounter } from '../limits/attempt-counter.js';
import { Guesses } from '../limits/guesses.js';
import { showPage } from '../provider/browsers/show-page.js';
import { ReplayedRequest } from '../replayed-request.js';
import { textsFor } from '../texts/texts.js';
import { enteredWrongCode, DEVICE_ROUTES } from './device-flow.js';

const WRONG_CODES_MAX = 20;
const WINDOW_SECONDS = 15 * 60;

/** How often a device may ask whether its person has decided, on average (RFC 8628 §3.5: every five seconds). */
const POLLS = { max: 2, windowSeconds: 5 };

/** How often one device code may be polled while nobody has decided. */
export function pollsOf(codeHash: string): Allowance {
  return { key: `device-poll|${codeHash}`, ...POLLS };
}

/**
 * Runs around the page where codes are entered: an address that has entered too many wrong ones has to wait, so that
 * codes short enough to type cannot be guessed (RFC 8628 §5.1).
 */
export async function guardDeviceCodes(
  attempts: AttemptCounter,
  ctx: KoaContextWithOIDC,
  next: () => Promise<unknown>,
): Promise<void> {
  if (ctx.path !== DEVICE_ROUTES.code_verification || ctx.method !== 'POST') {
    await next();
    return;
  }
  if (!(ctx.req instanceof ReplayedRequest)) throw new AppError('internal');
  const wrong = { key: `device-code|${ctx.req.address}`, max: WRONG_CODES_MAX, windowSeconds: WINDOW_SECONDS };
  const { retryAfterSeconds, end } = await new Guesses(attempts).begin(wrong);
  if (end === undefined) {
    const texts = textsFor(ctx.get('accept-language'));
    const { wait, waitWhy } = texts.device;
    const page = messagePage(429, wait, [waitWhy(Math.ceil(retryAfterSeconds / 60))], texts);
    showPage(ctx, { ...page, retryAfterSeconds });
    return;
  }
  try {
    await next();
  } finally {
    await end(enteredWrongCode(ctx) ? 'wrong' : 'not-wrong');
  }
}
