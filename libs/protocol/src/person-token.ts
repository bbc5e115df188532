/** Which token of the person who calls a request to an upstream needs. */
export interface TokenAsk {
  /** Name of one of the tenant's connectors. */
  readonly connector: string;
  /** Where it is to be sent. */
  readonly origin: string;
  /** SHA-256 of a token that the upstream has just refused, in base64url. */
  readonly refused?: string;
  /** Scopes that the upstream has just said the person's token lacks (RFC 6750, 3.1), separated by spaces. */
  readonly lacking?: string;
}

/** That a person must log in at an upstream before their call can be made. */
export interface LoginWanted {
  readonly connector: string;
  /** What the upstream is called. */
  readonly title: string;
  /** The page on which they do; without it no person calls who could. */
  readonly url?: string;
  /** What they have to allow there beside what they have; without it, they are not logged in. */
  readonly more?: readonly string[];
}

/** The answer: the caller's own token and never anybody else's, that they must log in, or why neither is possible. */
export type TokenAnswer =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'login'; readonly login: LoginWanted }
  | { readonly kind: 'failed'; readonly message: string };

/** Answers for the one who made a call or asked for a build. Never rejects. */
export type PersonTokens = (ask: TokenAsk) => Promise<TokenAnswer>;

/** For what nobody in person has asked for: keys, machines, probes, checks of a release. */
export const NO_PERSON: PersonTokens = ({ connector }) =>
  Promise.resolve({ kind: 'login', login: { connector, title: connector } });

/** The answer where looking up has failed in a way that nobody foresaw. */
export const NOT_LOOKED_UP: TokenAnswer = {
  kind: 'failed',
  message: 'The login there could not be looked up. Try again shortly.',
};
