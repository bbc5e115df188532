/** What an agent does on its way to a tenant URL, in the order in which it does it. */
export const STEPS = [
  'challenge',
  'resource_metadata',
  'server_metadata',
  'registration',
  'authorize',
  'login',
  'consent',
  'token',
  'connect',
  'list',
] as const;

/** One step of an attempt to connect. */
export type Step = (typeof STEPS)[number];

/** A tenant URL that somebody tries to connect to. */
export interface Destination {
  readonly tenantId: string;
  /** Undefined for the tenant's own URL, which serves all its servers. */
  readonly serverSlug: string | undefined;
  /** The URL itself. */
  readonly resource: string;
}

/** Who knocks, as far as the wire tells. */
export interface Visit {
  readonly address: string;
  readonly userAgent: string | undefined;
}
