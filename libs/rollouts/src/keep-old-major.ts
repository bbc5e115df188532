import type { Transaction } from '#libs/database';

/** How long an older major version stays reachable where nobody says. */
const KEPT_DAYS = 90;

/** A server, and the release that is to follow its live one. */
export interface Following {
  readonly tenantId: string;
  readonly serverId: string;
  readonly releaseId: string;
}

/** Keeps what is live reachable at its major version where the release that follows has a higher one. */
export async function keepOldMajor(tx: Transaction, next: Following, until: Date | string | null): Promise<void> {
  await tx.query(
    `insert into server_majors (tenant_id, server_id, major, release_id, served_until)
     select s.tenant_id, s.id, l.major, l.id, coalesce($4::timestamptz, now() + make_interval(days => $5))
     from servers s
     join releases l on l.tenant_id = s.tenant_id and l.id = s.live_release_id
     join releases n on n.tenant_id = s.tenant_id and n.id = $3
     where s.tenant_id = $1 and s.id = $2 and n.major > l.major
     on conflict (tenant_id, server_id, major)
       do update set release_id = excluded.release_id, served_until = excluded.served_until`,
    [next.tenantId, next.serverId, next.releaseId, until, KEPT_DAYS],
  );
}
