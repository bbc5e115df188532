import type { IncomingMessage, ServerResponse } from 'node:http';
import { randomText } from './attempts.js';

const COOKIE_SECONDS = 10 * 60;

/** The cookie that binds an attempt to its browser; on https to this very host. */
export class BrowserCookie {
  readonly #name: string;
  readonly #secure: string;

  constructor(issuer: URL) {
    const secure = issuer.protocol === 'https:';
    this.#name = secure ? '__Host-wharf_federation' : 'wharf_federation';
    this.#secure = secure ? '; Secure' : '';
  }

  /** The browser's secret, if it has one. */
  find(request: IncomingMessage): string | undefined {
    const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
    const value = pairs.find(([name]) => name === this.#name)?.[1];
    return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined;
  }

  /** Gives the browser a secret for the next ten minutes: the one it has, so that two tabs do not undo each other. */
  provide(request: IncomingMessage, response: ServerResponse): string {
    const secret = this.find(request) ?? randomText();
    response.appendHeader(
      'set-cookie',
      `${this.#name}=${secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${COOKIE_SECONDS}${this.#secure}`,
    );
    return secret;
  }
}
