import type { Database } from '#libs/database';
import type { WhenUncertain } from '#libs/limits';
import { loadFlags, type Flags } from '#libs/flags';
import type { ServerScopes } from '#libs/identity';
import type { Rule } from '#libs/policies';
import type { ResultGuard } from '#libs/protocol';
import { contextVersion } from '#libs/supply';
import { MAINTENANCE, type Maintenance } from './maintenance.js';
import { CALL_LIMITS, PROFILES, RULES, SERVERS, USED_BUDGET } from './tenant-columns.js';

/** What a plan allows. */
export interface PlanLimits {
  readonly callsPerMinute: number;
  readonly concurrentCalls: number;
  /** Sessions of the 2025 era at once, in all and of one principal, and how long one may rest. */
  readonly sessions: number;
  readonly clientSessions: number;
  readonly sessionIdleSeconds: number;
  /** Bytes of answers that are kept for its callers at once. */
  readonly keptResultBytes: number;
  /** What becomes of calls that nobody can count for all gateways together. */
  readonly whenUncertain: WhenUncertain;
}

/** A budget of a plan that a tenant's calls of this month have used up. */
export interface UsedBudget {
  readonly budget: 'calls_per_month' | 'tool_seconds_per_month' | 'bytes_per_month' | 'egress_bytes_per_month';
  /** When this month began and the next one does, in ISO 8601. */
  readonly since: string;
  readonly until: string;
}

/** How often a tenant lets its tools be called. */
export interface CallLimit {
  readonly name: string;
  /** What is counted apart; nothing: all calls together. */
  readonly per: ReadonlyArray<'client' | 'person' | 'tool'>;
  /** Slug; null for every server. */
  readonly server: string | null;
  /** Names, or beginnings of names with `*` after them. */
  readonly tools: readonly string[];
  /** Ids of clients, or `api-key:` and a key's; none for all. */
  readonly clients: readonly string[];
  readonly calls: number;
  readonly windowSeconds: number;
  readonly whenUncertain: 'allow' | 'refuse';
}

/** A tenant's rule on calls, with what holds where it asks for a person's approval. */
export interface TenantRule extends Rule {
  readonly approvalSeconds: number;
  readonly selfApproval: boolean;
}

/** A rollout that is open at a server, as calls are routed and counted by it. */
export interface RolloutRoute {
  readonly id: string;
  readonly step: number;
  readonly stableId: string;
  readonly candidateId: string;
  readonly candidateDigest: string;
  /** First number of the candidate's version; null where it bears none. */
  readonly candidateMajor: number | null;
  /** The candidate's part of the callers, while the stable release is live. */
  readonly percent: number;
  /** The part of calls to read-only tools that the candidate is asked as well, without anybody hearing its answer. */
  readonly shadowPercent: number;
  readonly readOnlyTools: readonly string[];
  /** Whether the candidate can be asked in a session of its own what another session was asked. */
  readonly shadowsSessions: boolean;
}

/** A server's live release, and what its tenant decided about its scopes. */
export interface LiveServer extends ServerScopes {
  readonly id: string;
  readonly releaseId: string;
  readonly digest: string;
  /** Whether every member may connect it, or only those whom its tenant named. */
  readonly openTo: 'everyone' | 'named';
  readonly rollout: RolloutRoute | null;
  /** Releases whose sessions have ended. */
  readonly withdrawn: readonly string[];
  /** Whether audit records hold what its tools are asked and answer, redacted. */
  readonly recordsContent: boolean;
  /** First number of its version; null where the live release bears none. */
  readonly major: number | null;
  /** Older major versions that stay reachable for a time. */
  readonly olderMajors: readonly OlderMajor[];
  /** Whether the HTTP+SSE transport of 2024-11-05 is served too. */
  readonly sseTransport: boolean;
  /** Whether its lists may be kept for everybody. */
  readonly publicLists: boolean;
  /** How many bytes of an answer a result shows. */
  readonly inlineBytes: number;
  /** What its results may hold; null for anything. */
  readonly resultGuard: ResultGuard | null;
  /** Whether a person approves each call of a tool that destroys. */
  readonly approvesDestructive: boolean;
  /** What holds in this environment beside the plan; null in production. */
  readonly bounds: EnvironmentBounds | null;
}

/** What an environment may at most, within what its tenant's plan allows; null leaves it to the plan. */
export interface EnvironmentBounds {
  readonly callsPerMinute: number | null;
  readonly concurrentCalls: number | null;
  readonly auditMode: AuditMode | null;
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

/** A view of a tenant's servers that has a URL of its own. */
export interface ProfileRoute {
  readonly slug: string;
  readonly name: string;
  /** Digest of its view (`ToolView`). */
  readonly view: string;
  /** Slugs of its servers; null for all. */
  readonly servers: readonly string[] | null;
  readonly readOnly: boolean;
  readonly search: boolean;
}

/** A tenant as its calls are routed; status, plan and servers are of one moment. */
export interface TenantRoutes {
  readonly tenantId: string;
  readonly slug: string;
  readonly name: string;
  readonly status: 'active' | 'suspended';
  /** ISO 8601: when it is deleted unless somebody keeps it; null while nobody wants that. */
  readonly deletionDueAt: string | null;
  /** The region that alone serves it; null: any. */
  readonly homeRegion: string | null;
  readonly limits: PlanLimits;
  readonly maintenance: Maintenance | null;
  /** Null while calls may run. */
  readonly usedBudget: UsedBudget | null;
  readonly callLimits: readonly CallLimit[];
  /** In the order in which they are asked. */
  readonly rules: readonly TenantRule[];
  /** Web pages that may call its URLs, beside those the installation knows. */
  readonly allowedOrigins: readonly string[];
  readonly auditMode: AuditMode;
  /** Which features are on for it. */
  readonly flags: Flags;
  readonly servers: readonly LiveServer[];
  readonly profiles: readonly ProfileRoute[];
  /** Version of what egress may use. */
  readonly contextVersion: string;
}

interface TenantRow {
  readonly maintenance: Maintenance | null;
  readonly name: string;
  readonly status: TenantRoutes['status'];
  readonly region: string | null;
  readonly leaves: Date | null;
  readonly limits: PlanLimits;
  readonly used: UsedBudget | null;
  readonly call_limits: readonly CallLimit[];
  readonly rules: readonly TenantRule[];
  readonly origins: readonly string[];
  readonly mode: AuditMode;
  readonly servers: readonly LiveServer[];
  readonly profiles: readonly ProfileRoute[];
}

/** Reads one tenant by its slug, undefined where there is none. */
export async function findTenantRoutes(
  database: Database,
  slug: string,
  servingRegion: string | undefined,
): Promise<TenantRoutes | undefined> {
  const tenantId = await findTenantId(database, slug);
  if (tenantId === undefined) return undefined;
  return database.asTenant(tenantId, async (tx) => {
    // The version first: what changes after it is read makes the next version differ.
    const version = await contextVersion(tx, tenantId);
    const flags = await loadFlags(tx, tenantId);
    const rows: TenantRow[] = await tx.query(
      `select t.name, t.status, t.home_region as region, t.deletion_due_at as leaves, jsonb_build_object('callsPerMinute', p.calls_per_minute, 'concurrentCalls', p.concurrent_calls,
           'sessions', p.sessions_max, 'clientSessions', p.client_sessions_max,
           'sessionIdleSeconds', p.session_idle_seconds, 'keptResultBytes', p.kept_result_bytes_max,
           'whenUncertain', p.when_uncertain) as limits,
           ${MAINTENANCE} as maintenance, ${USED_BUDGET} as used, ${CALL_LIMITS} as call_limits, ${RULES} as rules, p.audit_mode as mode,
         t.allowed_origins as origins, ${SERVERS} as servers, ${PROFILES} as profiles
       from tenants t cross join lateral plan_of(t.id) p where t.id = $1`,
      [tenantId, servingRegion ?? null],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const { region, leaves, used, call_limits: callLimits, mode, origins, ...as } = row;
    const renamed = { homeRegion: region, usedBudget: used, callLimits, auditMode: mode, allowedOrigins: origins };
    const deletionDueAt = leaves?.toISOString() ?? null;
    return { tenantId, slug, deletionDueAt, ...as, ...renamed, flags, contextVersion: version };
  });
}

async function findTenantId(database: Database, slug: string): Promise<string | undefined> {
  const rows: Array<{ id: string }> = await database.asService((tx) =>
    tx.query(`select id from tenants where slug = $1`, [slug]),
  );
  return rows[0]?.id;
}
