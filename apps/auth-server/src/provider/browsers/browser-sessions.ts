import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { SESSION_SECONDS, sessionCookieOptions } from '../configuration.js';

/** Who is signed in at a browser. */
export interface SignedIn {
  readonly accountId: string;
  /** Names this session; what a form of it is bound to. */
  readonly uid: string;
  /** When they signed in, in seconds since 1970. */
  readonly signedInAt: number;
}

/** The sessions that browsers hold with the authorization server, for pages outside an authorization request. */
export class BrowserSessions {
  constructor(
    private readonly provider: Provider,
    private readonly issuer: URL,
  ) {}

  /** Who is signed in at this browser, if anybody. */
  async find(request: IncomingMessage, response: ServerResponse): Promise<SignedIn | undefined> {
    const { accountId, uid, loginTs } = await this.#load(request, response);
    return accountId === undefined ? undefined : { accountId, uid, signedInAt: loginTs ?? 0 };
  }

  /** Signs a person in, under a new session id, so that one somebody knew before is worth nothing. */
  async open(
    request: IncomingMessage,
    response: ServerResponse,
    accountId: string,
    methods: readonly string[],
  ): Promise<void> {
    const context = this.provider.createContext(request, response);
    const session = await this.#load(request, response);
    session.loginAccount({ accountId, amr: [...methods] });
    session.resetIdentifier();
    await session.save(SESSION_SECONDS);
    const options = { ...sessionCookieOptions(this.issuer), maxAge: SESSION_SECONDS * 1_000 };
    context.cookies.set(this.provider.cookieName('session'), session.jti, options);
  }

  /** Signs whoever it is out. */
  async close(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const session = await this.#load(request, response);
    if (session.accountId !== undefined) await session.destroy();
  }

  #load(request: IncomingMessage, response: ServerResponse) {
    return this.provider.Session.get(this.provider.createContext(request, response));
  }
}
