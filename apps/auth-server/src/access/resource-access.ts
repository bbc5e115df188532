import type { Database } from '#libs/database';
import {
  type ServingRegion,
  basicScope,
  EVERYTHING,
  parseResource,
  READ_EVERYWHERE,
  resourceUrl,
  scopesOf,
  type ServerScopes,
  type TenantResource,
  type UrlScheme,
} from '#libs/identity';
import { whySuspended, type ServedRow } from './why-suspended.js';

/** The widest scope of a resource, which says what kind of resource it is. */
export type ResourceScope = 'mcp' | 'management';

/** A server behind a target: what its tenant decided about its scopes, and who stands for it. */
export interface TargetServer extends ServerScopes {
  /** Ids of clients that may exchange a token for this server for one at another. */
  readonly exchangeClients: readonly string[];
  /** Slugs of the servers that they may exchange it for. */
  readonly exchangeServers: readonly string[];
}

/** A resource URL that names something which exists, with its tenant. */
export interface Target {
  /** The canonical URL, exactly as tokens name it in `aud`. */
  readonly url: string;
  readonly kind: TenantResource['kind'];
  readonly scope: ResourceScope;
  /** Undefined where it names no single server. */
  readonly serverSlug: string | undefined;
  /** Set where it names a profile, a part of the tenant's servers. */
  readonly profileSlug?: string;
  /** Every scope that can be asked for. */
  readonly scopes: readonly string[];
  /** The servers behind it, with what their tenant decided about their scopes. */
  readonly servers: readonly TargetServer[];
  readonly tenantId: string;
  readonly tenantSlug: string;
  readonly tenantName: string;
  /** Why nothing is given out for it now; undefined where something is. */
  readonly suspended: string | undefined;
}

/** Why somebody has no access: nobody has it, they belong elsewhere, their role has none, or others are named. */
export type AccessRefusal = 'suspended' | 'not_member' | 'no_role' | 'not_named';

const MANAGEMENT_ROLES = new Set(['owner', 'admin', 'developer', 'auditor']);

/** The profile of this slug is the tenant's own URL's; no server can be called so. */
const OWN_URL = 'mcp';

interface Profile {
  /** Slugs of its servers; null for all. */
  readonly servers: readonly string[] | null;
  readonly readOnly: boolean;
}

interface TenantRow extends ServedRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
}

/** Knows which resources (RFC 8707) tokens may be minted for, and for whom. */
export class ResourceAccess {
  constructor(
    private readonly database: Database,
    private readonly scheme: UrlScheme,
    private readonly serving: ServingRegion = { region: undefined, urls: {} },
  ) {}

  /** The canonical spelling of a resource URL of ours: scheme and host in lower case, no default port. */
  canonical(text: string): string | undefined {
    return parseResource(this.scheme, text) === undefined ? undefined : new URL(text).href;
  }

  /** Where the metadata (RFC 9728) of a tenant's management API is. */
  managementMetadataOf(tenantSlug: string): string {
    const { origin, pathname } = new URL(resourceUrl(this.scheme, { kind: 'management', tenantSlug }));
    return `${origin}/.well-known/oauth-protected-resource${pathname}`;
  }

  /** Whether a resource URL is that of a tenant's management API, by its shape alone. */
  isManagement(text: string): boolean {
    return parseResource(this.scheme, text)?.kind === 'management';
  }

  /** The least that is worth asking for at a resource URL; where it names nothing, by its shape alone. */
  async basicScopeOf(text: string): Promise<string | undefined> {
    const resource = parseResource(this.scheme, text);
    if (resource === undefined || resource.kind === 'management') return resource?.kind;
    const target = resource.kind === 'server' ? await this.findTarget(text) : undefined;
    return basicScope(resource.kind === 'server' && target?.kind !== 'tenant' ? resource.serverSlug : undefined);
  }

  /** What a resource URL names; undefined where it is no URL of ours, not canonical, or names nothing. */
  async findTarget(text: string): Promise<Target | undefined> {
    const resource = parseResource(this.scheme, text);
    if (resource === undefined || this.canonical(text) !== text) return undefined;
    const tenant = await this.#findTenant(resource.tenantSlug);
    if (tenant === undefined) return undefined;
    const profile = await this.#findProfile(tenant.id, resource);
    const servers = await this.#serversBehind(tenant.id, resource, profile);
    if (resource.kind === 'server' && profile === undefined && servers.length === 0) return undefined;
    // A profile's URL has the form of a server's and is one of several servers, like the tenant's own.
    const kind = profile === undefined ? resource.kind : 'tenant';
    return {
      url: text,
      kind,
      scope: scopeOfKind(kind),
      serverSlug: resource.kind === 'server' && kind === 'server' ? resource.serverSlug : undefined,
      ...(resource.kind === 'server' && profile !== undefined ? { profileSlug: resource.serverSlug } : {}),
      scopes: scopesAt(kind, servers).filter((scope) => profile?.readOnly !== true || scope !== EVERYTHING),
      servers,
      tenantId: tenant.id,
      tenantSlug: tenant.slug,
      tenantName: tenant.name,
      suspended: whySuspended(tenant, kind, this.serving),
    };
  }

  /**
   * Whether a person may have tokens for the target: members of its tenant, for the management API by role, for a server
   * where it is open to them.
   */
  async allows(accountId: string, target: Target): Promise<boolean> {
    return (await this.refusal(accountId, target)) === undefined;
  }

  /** Why a person may have no tokens for the target; undefined where they may. */
  async refusal(accountId: string, target: Target): Promise<AccessRefusal | undefined> {
    if (target.suspended !== undefined) return 'suspended';
    const role = await this.#roleOf(accountId, target);
    if (role === undefined) return 'not_member';
    if (target.scope === 'management') return MANAGEMENT_ROLES.has(role) ? undefined : 'no_role';
    if (target.serverSlug === undefined) return undefined;
    return (await this.#mayConnect(accountId, target.tenantId, target.serverSlug)) ? undefined : 'not_named';
  }

  /** Whether a server is open to everyone, or names this member or a group of theirs. */
  async #mayConnect(accountId: string, tenantId: string, slug: string): Promise<boolean> {
    const rows: unknown[] = await this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `select from servers s where s.tenant_id = $1 and s.slug = $2 and (s.people = 'everyone' or exists (
           select from server_people p join members m on m.tenant_id = p.tenant_id and m.account_id = $3
           where p.tenant_id = s.tenant_id and p.server_id = s.id
             and p.who = any(case p.kind when 'member' then array[m.account_id::text] else m.groups end)))`,
        [tenantId, slug, accountId],
      ),
    );
    return rows.length > 0;
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
      tx.query(`select id, slug, name, status, deletion_due_at, home_region from tenants where slug = $1`, [slug]),
    );
    return rows[0];
  }

  /** The profile that a URL names: by its slug, or the one called `mcp` for the tenant's own URL. */
  async #findProfile(tenantId: string, resource: TenantResource): Promise<Profile | undefined> {
    if (resource.kind === 'management' || (resource.kind === 'server' && resource.major !== undefined))
      return undefined;
    if (resource.kind === 'server' && resource.serverSlug === OWN_URL) return undefined;
    const slug = resource.kind === 'server' ? resource.serverSlug : OWN_URL;
    const rows: Profile[] = await this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `select settings -> 'servers' as servers, (settings ->> 'read_only')::boolean as "readOnly"
         from profiles where tenant_id = $1 and slug = $2`,
        [tenantId, slug],
      ),
    );
    return rows[0];
  }

  async #serversBehind(
    tenantId: string,
    resource: TenantResource,
    profile: Profile | undefined,
  ): Promise<TargetServer[]> {
    if (resource.kind === 'management') return [];
    const { slug, major } =
      resource.kind === 'server' && profile === undefined ? { slug: resource.serverSlug, major: resource.major } : {};
    const servers = await this.#findServers(tenantId, slug, major);
    if (profile === undefined) return servers;
    return servers
      .filter((server) => profile.servers === null || profile.servers.includes(server.slug))
      .map((server) => (profile.readOnly ? { ...server, writes: false } : server));
  }

  async #findServers(tenantId: string, slug?: string, major?: number): Promise<TargetServer[]> {
    return this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `select slug, writes, asks_for as "asksFor", tool_groups as groups, exchange_clients as "exchangeClients",
           exchange_servers as "exchangeServers"
         from servers s where tenant_id = $1
           and case when $2::text is null then environment is null else slug = $2 end and ($3::integer is null
           or exists (select from releases r where r.tenant_id = $1 and r.id = s.live_release_id and r.major = $3)
           or exists (select from server_majors m where m.tenant_id = $1 and m.server_id = s.id and m.major = $3
                      and m.served_until > now())) order by slug`,
        [tenantId, slug ?? null, major ?? null],
      ),
    );
  }
}

function scopeOfKind(kind: TenantResource['kind']): ResourceScope {
  return kind === 'management' ? 'management' : 'mcp';
}

function scopesAt(kind: TenantResource['kind'], servers: readonly ServerScopes[]): string[] {
  return kind === 'management' ? [kind] : [EVERYTHING, READ_EVERYWHERE, ...servers.flatMap(scopesOf)];
}
