import { AppError } from '#libs/errors';
import type { NamedRequest } from './idempotency-key.js';

/** What is known of a named request that came before. */
export interface KeptRow {
  readonly requestHash: string;
  /** Undefined while it is not answered. */
  readonly answer: string | undefined;
}

/**
 * Where one kind of caller's named requests are kept. A claim has no answer until the first request is answered; it is
 * taken back when that request is refused, because a refusal changed nothing. Where the service fails in between, the
 * claim stays for its 24 hours: whether the request took effect is then for its caller to look up.
 */
export interface AnswerShelf {
  /** Claims the name; what is known of it where it is taken. */
  claim(named: NamedRequest): Promise<KeptRow | undefined>;
  keep(named: NamedRequest, answer: string): Promise<void>;
  release(named: NamedRequest): Promise<void>;
}

/** The first answer to a repeated request, or undefined for one that is to be worked on now. */
export async function firstAnswer(shelf: AnswerShelf, named: NamedRequest): Promise<string | undefined> {
  const kept = await shelf.claim(named);
  if (kept === undefined) return undefined;
  if (kept.requestHash !== named.requestHash) throw new AppError('idempotency_key_reused');
  if (kept.answer === undefined) {
    throw new AppError('idempotency_key_in_use', {
      message:
        'The first request with this Idempotency-Key is not answered yet. Ask again shortly; should it stay so, look ' +
        'whether it took effect before you send it under another key.',
      retryAfterSeconds: 1,
    });
  }
  return kept.answer;
}
