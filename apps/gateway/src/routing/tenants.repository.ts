import type { Database } from '#libs/database';
import type { ServerScopes } from '#libs/identity';
import { contextVersion } from '#libs/supply';

/** What a plan allows. */
export interface PlanLimits {
  readonly callsPerMinute: number;
  readonly concurrentCalls: number;
}

/** A server's live release, and what its tenant decided about its scopes. */
export interface LiveServer extends ServerScopes {
  readonly id: string;
  readonly releaseId: string;
  readonly digest: string;
  /** Whether every member may connect it, or only those whom its tenant named. */
  readonly openTo: 'everyone' | 'named';
  /** Whether audit records hold what its tools are asked and answer, redacted. */
  readonly recordsContent: boolean;
  /** First number of its version; null where the live release bears none. */
  readonly major: number | null;
  /** Older major versions that stay reachable for a time. */
  readonly olderMajors: readonly OlderMajor[];
}

/** The last release of an older major version of a server. */
export interface OlderMajor {
  readonly major: number;
  readonly releaseId: string;
  readonly digest: string;
  /** ISO 8601. */
  readonly deprecatedAt: string;
  /** ISO 8601: not served from then on. */
  readonly servedUntil: string;
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
  /** Web pages that may call its URLs, beside those the installation knows. */
  readonly allowedOrigins: readonly string[];
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
  readonly origins: readonly string[];
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
         t.allowed_origins as origins,
         (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'slug', s.slug, 'releaseId', r.id, 'digest', r.digest,
             'recordsContent', s.records_content, 'writes', s.writes, 'openTo', s.people, 'asksFor', s.asks_for,
             'groups', s.tool_groups,
             'major', r.major, 'olderMajors', (select coalesce(jsonb_agg(jsonb_build_object('major', m.major,
               'releaseId', o.id, 'digest', o.digest, 'deprecatedAt', m.deprecated_at, 'servedUntil', m.served_until)), '[]')
               from server_majors m join releases o on o.tenant_id = m.tenant_id and o.id = m.release_id
               where m.tenant_id = s.tenant_id and m.server_id = s.id and m.served_until > now()))
             order by s.slug), '[]')
          from servers s join releases r on r.tenant_id = s.tenant_id and r.id = s.live_release_id
          where s.tenant_id = t.id) as servers
       from tenants t join plans p on p.name = t.plan where t.id = $1`,
      [tenantId],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const { name, status, calls, concurrent, mode, origins, servers } = row;
    const limits = { callsPerMinute: calls, concurrentCalls: concurrent };
    return {
      tenantId,
      slug,
      name,
      status,
      limits,
      auditMode: mode,
      allowedOrigins: origins,
      servers,
      contextVersion: version,
    };
  });
}

async function findTenantId(database: Database, slug: string): Promise<string | undefined> {
  const rows: Array<{ id: string }> = await database.asService((tx) =>
    tx.query(`select id from tenants where slug = $1`, [slug]),
  );
  return rows[0]?.id;
}
