import { atHome, type Transaction } from '#libs/database';
import { checkDriftJob, enqueue } from '#libs/jobs';

/** How soon after the last look a first hint brings the next one; each hint after it waits twice as long. */
const HINTED_SECONDS = 15;
/** A look this late within its time was not hinted at: the waits of hints begin anew. */
const QUIET_SHARE = 0.8;
/** Looks are spread by this share of their time, so that servers that were built together are not looked at together. */
const SPREAD_SHARE = 0.1;

/** A server that is watched. */
export interface Watched {
  readonly tenantId: string;
  readonly serverId: string;
}

/** Servers of all tenants that are due, longest first. Runs as the background service. */
export async function findDue(tx: Transaction, max: number, region?: string): Promise<Watched[]> {
  return tx.query(
    `select tenant_id as "tenantId", server_id as "serverId" from drift_watches
     where due_at <= now() and ${atHome('drift_watches.tenant_id', '$2')} order by due_at limit $1`,
    [max, region ?? null],
  );
}

/** Moves a due server on and writes a job for it, unless one of before still waits or nothing remote is live; false then. */
export async function requestLook(tx: Transaction, server: Watched, everySeconds: number): Promise<boolean> {
  const { tenantId, serverId } = server;
  const [moved]: [unknown[]] = await tx.query(
    `update drift_watches set
       due_at = now() + make_interval(secs => $3::float8 * (1 + $4::float8 * (random() - 0.5))),
       hinted_looks = case when checked_at > now() - make_interval(secs => $3::float8 * $5::float8)
         then hinted_looks else 0 end
     where tenant_id = $1 and server_id = $2 and due_at <= now() returning server_id`,
    [tenantId, serverId, everySeconds, 2 * SPREAD_SHARE, QUIET_SHARE],
  );
  const ready: unknown[] = await tx.query(
    `select from servers s
     join tenants t on t.id = s.tenant_id and t.status = 'active'
     join releases r on r.tenant_id = s.tenant_id and r.id = s.live_release_id and r.kind = 'remote'
     where s.tenant_id = $1 and s.id = $2 and not exists (
       select from outbox o where o.tenant_id = $1 and o.name = $3 and o.completed_at is null
         and o.payload ->> 'serverId' = s.id::text)`,
    [tenantId, serverId, checkDriftJob.name],
  );
  if (moved.length === 0 || ready.length === 0) return false;
  await enqueue(tx, tenantId, checkDriftJob, { tenantId, serverId });
  return true;
}

/**
 * Brings the next look forward at servers whose live release has this digest, because a worker of it met something that
 * was not approved. A hint that comes while the look is as near already changes nothing.
 */
export async function hint(
  tx: Transaction,
  { tenantId, digest }: { readonly tenantId: string; readonly digest: string },
  everySeconds: number,
): Promise<void> {
  await tx.query(
    `update drift_watches w set due_at = n.at, hinted_looks = hinted_looks + 1
     from (select s.tenant_id, s.id,
             greatest(now(), coalesce(k.checked_at, now())
               + make_interval(secs => least($4::float8, $3::float8 * 2 ^ least(k.hinted_looks, 20)))) as at
           from servers s
           join releases r on r.tenant_id = s.tenant_id and r.id = s.live_release_id and r.digest = $2
           join drift_watches k on k.tenant_id = s.tenant_id and k.server_id = s.id
           where s.tenant_id = $1) n
     where w.tenant_id = n.tenant_id and w.server_id = n.id and w.due_at > n.at`,
    [tenantId, digest, HINTED_SECONDS, everySeconds],
  );
}
