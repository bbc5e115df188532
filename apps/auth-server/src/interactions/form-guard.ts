import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Secret } from '#libs/config';
import { deriveKeys } from '#libs/secrets';
import type { PendingInteraction } from '../provider/browsers/pending-interaction.js';

/** What a form is bound to. */
type FormBound = Pick<PendingInteraction, 'uid' | 'step' | 'accountId'>;

/** Makes and checks the anti-forgery token of a form: bound to the interaction of this browser's cookie, and its step. */
export class FormGuard {
  /** The one that makes tokens first. */
  readonly #keys: readonly Buffer[];

  constructor(masterKey: Secret) {
    this.#keys = deriveKeys(masterKey, 'interaction-forms');
  }

  tokenFor(interaction: FormBound): string {
    return this.tokenBound(boundOf(interaction));
  }

  /** As `tokenFor`, for a form that is bound to something else which only this browser brings. */
  tokenBound(bound: string): string {
    return this.#tokensBound(bound)[0] ?? '';
  }

  /** Whether a form was sent from our own page for this very step; a browser that says it came from elsewhere is refused. */
  accepts(request: IncomingMessage, interaction: FormBound, given: string): boolean {
    return this.acceptsBound(request, boundOf(interaction), given);
  }

  /** As `accepts`, for a token of `tokenBound`. */
  acceptsBound(request: IncomingMessage, bound: string, given: string): boolean {
    const site = request.headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin') return false;
    const actual = Buffer.from(given);
    return this.#tokensBound(bound).some((token) => {
      const expected = Buffer.from(token);
      return actual.length === expected.length && timingSafeEqual(actual, expected);
    });
  }

  #tokensBound(bound: string): string[] {
    return this.#keys.map((key) => createHmac('sha256', key).update(bound).digest('base64url'));
  }
}

function boundOf({ uid, step, accountId }: FormBound): string {
  return `${uid}|${step}|${accountId ?? ''}`;
}
