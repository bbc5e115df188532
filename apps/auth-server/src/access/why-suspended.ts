import { elsewhere, type ServingRegion } from '#libs/identity';

/** Of a tenant, what decides whether anything is given out for it. */
export interface ServedRow {
  readonly status: string;
  readonly deletion_due_at: Date | null;
  readonly home_region: string | null;
}

const SUSPENDED = 'The tenant of this resource is suspended. Only the operator of this platform can resume it.';

/** Whoever asks hears it, also who is nobody to the tenant: when that is to be is for its owners, at the management API. */
const LEAVING =
  'The tenant of this resource is to be deleted, and nothing is given out for it. Until then its owners can keep it.';

/** Why a request was refused with such a sentence; undefined for any other sentence. */
export function standingIn(description: string): 'suspended' | 'leaving' | undefined {
  if (description.startsWith(SUSPENDED)) return 'suspended';
  return description.startsWith(LEAVING) ? 'leaving' : undefined;
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
  return tenant.deletion_due_at === null ? SUSPENDED : LEAVING;
}
