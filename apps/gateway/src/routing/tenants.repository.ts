import type { Database } from '#libs/database';
import { contextVersion } from '#libs/supply';

/** What a plan allows. */
export interface PlanLimits {
  readonly callsPerMinute: number;
  readonly concurrentCalls: number;
}

/** A server's live release. */
export interface LiveServer {
  readonly slug: string;
  readonly releaseId: string;
  readonly digest: string;
}

/** A tenant as its calls are routed: read in one go, never mixed from two moments. */
export interface TenantRoutes {
  readonly tenantId: string;
  readonly slug: string;
  readonly name: string;
  readonly status: 'active' | 'suspended';
  readonly limits: PlanLimits;
  readonly servers: readonly LiveServer[];
  /** Version of what egress may use. */
  readonly contextVersion: string;
}

type TenantRow = Omit<TenantRoutes, 'servers' | 'contextVersion'>;

/** Reads one tenant by its slug, undefined where there is none. */
export async function findTenantRoutes(database: Database, slug: string): Promise<TenantRoutes | undefined> {
  const tenant = await findTenant(database, slug);
  if (tenant === undefined) return undefined;
  return database.asTenant(tenant.tenantId, async (tx) => {
    const servers: LiveServer[] = await tx.query(
      `select s.slug, r.id as "releaseId", r.digest
       from servers s join releases r on r.tenant_id = s.tenant_id and r.id = s.live_release_id
       where s.tenant_id = $1 order by s.slug`,
      [tenant.tenantId],
    );
    return { ...tenant, servers, contextVersion: await contextVersion(tx, tenant.tenantId) };
  });
}

async function findTenant(database: Database, slug: string): Promise<TenantRow | undefined> {
  return database.asService(async (tx) => {
    const rows: Array<{ id: string; name: string; status: TenantRow['status']; calls: number; concurrent: number }> =
      await tx.query(
        `select t.id, t.name, t.status, p.calls_per_minute as calls, p.concurrent_calls as concurrent
       from tenants t join plans p on p.name = t.plan where t.slug = $1`,
        [slug],
      );
    const [row] = rows;
    if (row === undefined) return undefined;
    const limits = { callsPerMinute: row.calls, concurrentCalls: row.concurrent };
    return { tenantId: row.id, slug, name: row.name, status: row.status, limits };
  });
}
