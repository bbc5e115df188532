import { elsewhere, type ServingRegion } from '#libs/identity';

/** Of a tenant, what decides whether anything is given out for it. */
export interface ServedRow {
  readonly status: string;
  readonly deletion_due_at: Date | null;
  readonly home_region: string | null;
}

/**
 * Why nothing is given out for a tenant now; undefined where something is. Whoever can keep a tenant from being deleted
 * signs in at its management API, which refuses the rest.
 */
export function whySuspended(
  tenant: ServedRow,
  kind: 'tenant' | 'server' | 'management',
  serving: ServingRegion,
): string | undefined {
  const refused = elsewhere(tenant.home_region, serving);
  if (refused !== undefined) return refused.message;
  if (tenant.status === 'active' || (kind === 'management' && tenant.deletion_due_at !== null)) return undefined;
  return 'The tenant of this resource is suspended.';
}
