import type { Database } from '#libs/database';
import { contextVersion } from '#libs/supply';

/** What a plan allows. */
export interface PlanLimits {
  readonly callsPerMinute: number;
  readonly concurrentCalls: number;
}

/** A server's live release. */
export interface LiveServer {
  readonly id: string;
  readonly slug: string;
  readonly releaseId: string;
  readonly digest: string;
  /** Whether audit records hold what its tools are asked and answer, redacted. */
  readonly recordsContent: boolean;
}

/** How safe the record of a call is: against the end of this process, of the machine, or in the database before the reply. */
export type AuditMode = 'process' | 'disk' | 'database';

/** A tenant as its calls are routed; status, plan and servers are of one moment. */
export interface TenantRoutes {
  readonly tenantId: string;
  readonly slug: string;
  readonly name: string;
  readonly status: 'active' | 'suspended';
  readonly limits: PlanLimits;
  readonly auditMode: AuditMode;
  readonly servers: readonly LiveServer[];
  /** Version of what egress may use. */
  readonly contextVersion: string;
}

interface TenantRow {
  readonly name: string;
  readonly status: TenantRoutes['status'];
  readonly calls: number;
  readonly concurrent: number;
  readonly mode: AuditMode;
  readonly servers: readonly LiveServer[];
}

/** Reads one tenant by its slug, undefined where there is none. */
export async function findTenantRoutes(database: Database, slug: string): Promise<TenantRoutes | undefined> {
  const tenantId = await findTenantId(database, slug);
  if (tenantId === undefined) return undefined;
  return database.asTenant(tenantId, async (tx) => {
    // The version first: what changes after it is read makes the next version differ.
    const version = await contextVersion(tx, tenantId);
    const rows: TenantRow[] = await tx.query(
      `select t.name, t.status, p.calls_per_minute as calls, p.concurrent_calls as concurrent, p.audit_mode as mode,
         (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'slug', s.slug, 'releaseId', r.id, 'digest', r.digest,
             'recordsContent', s.records_content)
             order by s.slug), '[]')
          from servers s join releases r on r.tenant_id = s.tenant_id and r.id = s.live_release_id
          where s.tenant_id = t.id) as servers
       from tenants t join plans p on p.name = t.plan where t.id = $1`,
      [tenantId],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const { name, status, calls, concurrent, mode, servers } = row;
    const limits = { callsPerMinute: calls, concurrentCalls: concurrent };
    return { tenantId, slug, name, status, limits, auditMode: mode, servers, contextVersion: version };
  });
}

async function findTenantId(database: Database, slug: string): Promise<string | undefined> {
  const rows: Array<{ id: string }> = await database.asService((tx) =>
    tx.query(`select id from tenants where slug = $1`, [slug]),
  );
  return rows[0]?.id;
}
