import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const SHAPE = /^[\w-]{22}$/;

/** A random cookie that forms of people who are not signed in are bound to, so that no other site can send them. */
export class VisitCookie {
  readonly #name: string;
  readonly #attributes: string;

  constructor(issuer: URL) {
    const secure = issuer.protocol === 'https:';
    this.#name = secure ? '__Host-wharf_visit' : 'wharf_visit';
    this.#attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  }

  /** The browser's cookie. */
  find(request: IncomingMessage): string | undefined {
    const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim().split('='));
    const value = cookies.find(([name]) => name === this.#name)?.[1];
    return value !== undefined && SHAPE.test(value) ? value : undefined;
  }

  /** The browser's cookie, a new one where it has none. */
  provide(request: IncomingMessage, response: ServerResponse): string {
    const found = this.find(request);
    if (found !== undefined) return found;
    const made = randomBytes(16).toString('base64url');
    response.appendHeader('set-cookie', `${this.#name}=${made}; ${this.#attributes}`);
    return made;
  }
}
