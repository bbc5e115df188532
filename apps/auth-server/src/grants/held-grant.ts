/** What an agent holds for a person. */
export interface HeldGrant {
  readonly id: string;
  readonly tenantId: string;
  readonly tenantName: string;
  readonly accountId: string;
  readonly clientId: string;
  readonly clientName: string | null;
  readonly redirectHost: string | null;
  readonly resource: string;
  readonly scope: string;
  readonly createdAt: Date;
  /** When the agent last used it: got a token, or was let in with one (to the minute). */
  readonly lastUsedAt: Date;
}

/** Whose grants, and at which tenant where it is one alone. */
export interface Holder {
  readonly accountId: string;
  readonly tenantId?: string;
}
