import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JWK } from 'jose';
import { AccessTokenVerifier, type AccessTokenClaims } from '#libs/identity';
import type { BrowserSessions } from './browsers/browser-sessions.js';
import type { InteractionDoor } from './browsers/interaction-door.js';
import type { AuthorizationProvider } from './provider.js';

/**
 * The provider with the keys of now. It is built with its keys and never changes them, so that a rotation builds another,
 * which new requests go to; all its state is in the database, and those under way end where they began.
 */
export class LiveProvider {
  #provider: AuthorizationProvider;
  #verifier: AccessTokenVerifier;

  constructor(
    private readonly issuer: string,
    private readonly build: (keys: readonly JWK[]) => AuthorizationProvider,
    keys: readonly JWK[],
  ) {
    this.#provider = build(keys);
    this.#verifier = new AccessTokenVerifier({ issuer, keys });
  }

  /** From now on, new requests meet these keys. */
  readonly useKeys = (keys: readonly JWK[]): void => {
    this.#provider = this.build(keys);
    this.#verifier = new AccessTokenVerifier({ issuer: this.issuer, keys });
  };

  /** Answers paths below the issuer's. */
  readonly listener = (request: IncomingMessage, response: ServerResponse): void => {
    void this.#provider.listener(request, response);
  };

  get door(): InteractionDoor {
    return this.#provider.door;
  }

  get sessions(): BrowserSessions {
    return this.#provider.sessions;
  }

  /** The claims of a token of ours. @throws AppError unauthenticated */
  async verify(token: string, audience: string): Promise<AccessTokenClaims> {
    return this.#verifier.verify(token, audience);
  }
}
