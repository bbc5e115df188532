import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { originsOf } from '../upstreams/release-origins.js';

/** A tenant has fewer; the rest could only be what was served long ago. */
const RELEASES_MAX = 2_000;
const NAMED_MAX = 50;

/**
 * The origins that releases of the tenant name which are live, were so before, or are on trial; it reads on only until it
 * has met `wanted`.
 */
export async function originsUntil(tx: Transaction, tenantId: string, wanted: string): Promise<ReadonlySet<string>> {
  const releases: Array<{ digest: string }> = await tx.query(
    `select distinct r.digest from releases r
     where r.tenant_id = $1 and (
       exists (select from servers s where s.tenant_id = $1 and r.id in (s.live_release_id, s.previous_release_id))
       or exists (select from rollouts o where o.tenant_id = $1 and o.candidate_release_id = r.id
                    and o.state in ('checking', 'running', 'paused', 'draining')))
     limit $2`,
    [tenantId, RELEASES_MAX],
  );
  const origins = new Set<string>();
  for (const { digest } of releases) {
    for (const origin of await originsOf(tx, tenantId, digest)) origins.add(origin);
    if (origins.has(wanted)) break;
  }
  return origins;
}

/** Whoever mistyped an origin would believe that it is held open. */
export function unknownOrigin(origin: string, origins: ReadonlySet<string>): AppError {
  const named = [...origins].sort().slice(0, NAMED_MAX);
  const more = origins.size > NAMED_MAX ? ` and ${origins.size - NAMED_MAX} more` : '';
  const there = named.length === 0 ? 'They call none' : `Theirs are ${named.join(', ')}${more}`;
  return new AppError('unprocessable', {
    message: `No server of this tenant calls ${origin}. ${there}.`,
    problems: [{ pointer: '/origin', message: 'not an upstream of this tenant' }],
  });
}
