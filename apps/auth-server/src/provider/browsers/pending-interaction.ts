/** An authorization request that waits for its person, as the pages see it. */
export interface PendingInteraction {
  readonly uid: string;
  readonly step: 'login' | 'consent';
  readonly clientId: string;
  /** What the client calls itself; nobody has checked it. */
  readonly clientName: string | undefined;
  /** Undefined for an agent on another device, which waits there. */
  readonly redirectUri: string | undefined;
  readonly resource: string;
  readonly codeChallenge: string | undefined;
  /** The scopes that were asked for. */
  readonly scopes: readonly string[];
  /** Who is signed in. */
  readonly accountId: string | undefined;
}
