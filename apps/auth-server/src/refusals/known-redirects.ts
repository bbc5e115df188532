import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Secret } from '#libs/config';
import { deriveLasting } from '#libs/secrets';

const MARK_LENGTH = 22;
const MARKS_MAX = 24;
const KEPT_SECONDS = 180 * 24 * 60 * 60;

/** A client and where it sends people back to. */
export interface Redirect {
  readonly clientId: string;
  readonly redirectUri: string;
}

/**
 * A cookie that remembers from which clients somebody in this browser has let themselves be sent back, and to where: a
 * keyed hash of each, so that nobody can make one up and none can be read out. It opens nothing.
 */
export class KnownRedirects {
  readonly #name: string;
  readonly #attributes: string;
  readonly #key: Buffer;

  constructor(issuer: URL, masterKey: Secret) {
    const secure = issuer.protocol === 'https:';
    this.#name = secure ? '__Host-wharf_known' : 'wharf_known';
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${KEPT_SECONDS}${secure ? '; Secure' : ''}`;
    this.#key = deriveLasting(masterKey, 'known-redirects');
  }

  /** Whether this browser was sent there by this client before. */
  has(request: IncomingMessage, redirect: Redirect): boolean {
    return this.#find(request).includes(this.#markOf(redirect));
  }

  /** Remembers it, newest first; the oldest are forgotten. */
  remember(request: IncomingMessage, response: ServerResponse, redirect: Redirect): void {
    const known = this.#find(request);
    const mark = this.#markOf(redirect);
    if (known[0] === mark) return;
    const marks = [mark, ...known.filter((other) => other !== mark)].slice(0, MARKS_MAX);
    response.appendHeader('set-cookie', `${this.#name}=${marks.join('')}; ${this.#attributes}`);
  }

  #find(request: IncomingMessage): string[] {
    const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
    const value = pairs.find(([name]) => name === this.#name)?.[1] ?? '';
    return (value.match(new RegExp(`[\\w-]{${MARK_LENGTH}}`, 'g')) ?? []).slice(0, MARKS_MAX);
  }

  #markOf({ clientId, redirectUri }: Redirect): string {
    const text = JSON.stringify([clientId, redirectUri]);
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, MARK_LENGTH);
  }
}
