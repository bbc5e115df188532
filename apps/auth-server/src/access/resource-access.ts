import type { Database } from '#libs/database';
import { parseResource, type TenantResource, type UrlScheme } from '#libs/identity';

/** The scope that a resource knows; each has exactly one. */
export type ResourceScope = 'mcp' | 'management';

/** A resource URL that names something which exists, with its tenant. */
export interface Target {
  /** The canonical URL, exactly as tokens name it in `aud`. */
  readonly url: string;
  readonly scope: ResourceScope;
  readonly tenantId: string;
  readonly tenantSlug: string;
  readonly tenantName: string;
  readonly suspended: boolean;
}

const MANAGEMENT_ROLES = new Set(['owner', 'admin', 'developer', 'auditor']);

interface TenantRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly status: string;
}

/** Knows which resources (RFC 8707) tokens may be minted for, and for whom. */
export class ResourceAccess {
  constructor(
    private readonly database: Database,
    private readonly scheme: UrlScheme,
  ) {}

  /** The canonical spelling of a resource URL of ours: scheme and host in lower case, no default port. */
  canonical(text: string): string | undefined {
    return parseResource(this.scheme, text) === undefined ? undefined : new URL(text).href;
  }

  /** The scope of a resource URL by its shape alone, whether or not it exists. */
  scopeOf(text: string): ResourceScope | undefined {
    const resource = parseResource(this.scheme, text);
    return resource === undefined ? undefined : scopeOfKind(resource.kind);
  }

  /** What a resource URL names; undefined where it is no URL of ours, not canonical, or names nothing. */
  async findTarget(text: string): Promise<Target | undefined> {
    const resource = parseResource(this.scheme, text);
    if (resource === undefined || this.canonical(text) !== text) return undefined;
    const tenant = await this.#findTenant(resource.tenantSlug);
    if (tenant === undefined || !(await this.#exists(tenant.id, resource))) return undefined;
    return {
      url: text,
      scope: scopeOfKind(resource.kind),
      tenantId: tenant.id,
      tenantSlug: tenant.slug,
      tenantName: tenant.name,
      suspended: tenant.status !== 'active',
    };
  }

  /** Whether a person may have tokens for the target: members of its tenant, for the management API by role. */
  async allows(accountId: string, target: Target): Promise<boolean> {
    if (target.suspended) return false;
    const role = await this.#roleOf(accountId, target);
    return role !== undefined && (target.scope === 'mcp' || MANAGEMENT_ROLES.has(role));
  }

  /** Whether a person belongs to the target's tenant, in any role. */
  async isMember(accountId: string, target: Target): Promise<boolean> {
    return (await this.#roleOf(accountId, target)) !== undefined;
  }

  /** The member of the target's tenant who has an e-mail; as quick for strangers as for members. */
  async findMember(email: string, { tenantId }: Target): Promise<{ id: string; email: string } | undefined> {
    const rows: Array<{ id: string; email: string }> = await this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `select a.id, a.email from accounts a join members m on m.account_id = a.id
         where m.tenant_id = $1 and a.email = $2`,
        [tenantId, email],
      ),
    );
    return rows[0];
  }

  /** Whom a provider of the tenant's let in counts only as long as that provider is there and was asked lately. */
  async #roleOf(accountId: string, { tenantId }: Target): Promise<string | undefined> {
    const rows: Array<{ role: string }> = await this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `select role from members m where tenant_id = $1 and account_id = $2 and not exists (
           select from federated_identities f
           left join identity_providers p on p.tenant_id = f.tenant_id and p.issuer = f.issuer
           where f.tenant_id = m.tenant_id and f.account_id = m.account_id
             and (p.id is null or f.signed_in_at < now() - make_interval(hours => p.sign_in_again_hours)))`,
        [tenantId, accountId],
      ),
    );
    return rows[0]?.role;
  }

  async #findTenant(slug: string): Promise<TenantRow | undefined> {
    const rows: TenantRow[] = await this.database.asService((tx) =>
      tx.query(`select id, slug, name, status from tenants where slug = $1`, [slug]),
    );
    return rows[0];
  }

  async #exists(tenantId: string, resource: TenantResource): Promise<boolean> {
    if (resource.kind !== 'server') return true;
    const rows: unknown[] = await this.database.asTenant(tenantId, (tx) =>
      tx.query(`select 1 from servers where tenant_id = $1 and slug = $2`, [tenantId, resource.serverSlug]),
    );
    return rows.length > 0;
  }
}

function scopeOfKind(kind: TenantResource['kind']): ResourceScope {
  return kind === 'management' ? 'management' : 'mcp';
}
