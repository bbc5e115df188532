import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Secret } from '#libs/config';
import { openWithMaster, sealWithMaster } from '#libs/secrets';

const PURPOSE = 'sign-in-ticket';
const LIFE_MS = 10 * 60 * 1_000;

/** That a browser has given somebody's right password and owes the second factor: a sealed cookie, bound to its step. */
export class SignInTicket {
  readonly #cookie: string;
  readonly #attributes: string;

  constructor(
    private readonly masterKey: Secret,
    issuer: URL,
  ) {
    const secure = issuer.protocol === 'https:';
    this.#cookie = secure ? '__Host-wharf_ticket' : 'wharf_ticket';
    this.#attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  }

  /** Gives the browser a ticket for ten minutes. */
  give(response: ServerResponse, accountId: string, bound: string): void {
    const plain = Buffer.from(JSON.stringify([accountId, Date.now() + LIFE_MS]));
    const sealed = sealWithMaster(this.masterKey, `${PURPOSE}:${bound}`, plain).toString('base64url');
    response.appendHeader('set-cookie', `${this.#cookie}=${sealed}; ${this.#attributes}`);
  }

  /** Whose ticket for this step the browser holds. */
  find(request: IncomingMessage, bound: string): string | undefined {
    const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim().split('='));
    const sealed = cookies.find(([name]) => name === this.#cookie)?.[1];
    if (sealed === undefined || sealed === '') return undefined;
    try {
      const plain = openWithMaster(this.masterKey, `${PURPOSE}:${bound}`, Buffer.from(sealed, 'base64url'));
      const [accountId, expiresAt]: unknown[] = JSON.parse(plain.toString());
      return typeof accountId === 'string' && Number(expiresAt) > Date.now() ? accountId : undefined;
    } catch {
      // Of another step, another key, or made up: no ticket.
      return undefined;
    }
  }

  take(response: ServerResponse): void {
    response.appendHeader('set-cookie', `${this.#cookie}=; Max-Age=0; ${this.#attributes}`);
  }
}
