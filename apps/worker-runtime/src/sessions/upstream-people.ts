import { LRUCache } from 'lru-cache';
import type { PersonTokens } from '#libs/protocol';

/** An open exchange, and who makes it. */
export interface PersonExchange {
  /** As the gateway has proved it. */
  readonly principal?: string;
  /** Answers with tokens of the person who makes it. */
  readonly tokens?: PersonTokens | undefined;
}

/** More than a runner keeps, so what is forgotten here for want of use has ended there. */
const SESSIONS_MAX = 2_000;

/**
 * Whose each upstream session of a worker is: of the principal whose exchange it was last used by. What is asked in it for
 * no exchange may have a token while an exchange of the same principal is open, from the one who made that.
 */
export class UpstreamPeople {
  readonly #principals = new LRUCache<string, string>({ max: SESSIONS_MAX });

  /** `open`: the exchanges that are open now. */
  constructor(private readonly open: () => Iterable<PersonExchange>) {}

  /** Notes that an exchange uses a session. */
  note(session: string | undefined, { principal }: PersonExchange): void {
    if (session !== undefined && principal !== undefined) this.#principals.set(session, principal);
  }

  /** How tokens for a session's person are had; undefined while that person has no exchange open. */
  tokensOf(session: string | undefined): PersonTokens | undefined {
    const principal = session === undefined ? undefined : this.#principals.get(session);
    if (principal === undefined) return undefined;
    for (const exchange of this.open()) if (exchange.principal === principal) return exchange.tokens;
    return undefined;
  }
}
