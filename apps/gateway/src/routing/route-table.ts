import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { routeKey, type Mount, type RouteBinding } from '#libs/protocol';
import type { InboundCall } from '../edge/inbound-call.js';
import type { TenantUrl } from '../edge/tenant-url.js';
import { FreshCache } from './fresh-cache.js';
import { releaseAt } from './majors.js';
import { findTenantRoutes, type LiveServer, type TenantRoutes } from './tenants.repository.js';

/** Second stage: the call's tenant is known and what would answer it, though not yet who asks. */
export interface RoutedCall extends InboundCall {
  readonly tenant: TenantRoutes;
  /** What is live at this URL now. */
  readonly route: RouteBinding;
}

/** Suspended tenants serve nothing. @throws AppError tenant_suspended */
export function requireActive(tenant: TenantRoutes): void {
  if (tenant.status === 'suspended') throw new AppError('tenant_suspended');
}

interface KnownTenant extends TenantRoutes {
  /** Bindings made so far, by server slug (`''` for the tenant's own URL). */
  readonly bindings: Map<string, RouteBinding>;
}

const TENANTS_MAX = 10_000;

/** Which tenant and which live releases a URL names; kept in memory and refreshed when the database tells of a change. */
export class RouteTable {
  readonly #tenants: FreshCache<KnownTenant>;

  constructor(
    private readonly database: Database,
    hearing: () => boolean,
  ) {
    this.#tenants = new FreshCache({ entriesMax: TENANTS_MAX, hearing });
  }

  /** Routes a call. @throws AppError not_found, the same for whatever does not exist */
  async route(call: InboundCall): Promise<RoutedCall> {
    const tenant = await this.#getTenant(call.target.tenantSlug);
    const route = bindingFor(tenant, call.target);
    return { ...call, tenant, route };
  }

  /** The tenant of a URL that serves calls. @throws AppError not_found */
  async getTenantAt(target: TenantUrl): Promise<TenantRoutes> {
    const tenant = await this.#getTenant(target.tenantSlug);
    mountsFor(tenant, target);
    return tenant;
  }

  /** A tenant by its slug. @throws AppError not_found */
  async getTenant(slug: string): Promise<TenantRoutes> {
    return this.#getTenant(slug);
  }

  /** Forgets a tenant whose rows changed, or all with `*`. */
  forget(tenantId: string): void {
    this.#tenants.forget(tenantId);
  }

  async #getTenant(slug: string): Promise<KnownTenant> {
    const tenant = await this.#tenants.get(slug, async () => {
      const routes = await findTenantRoutes(this.database, slug);
      return routes === undefined ? undefined : { ...routes, bindings: new Map() };
    });
    if (tenant === undefined) throw new AppError('not_found');
    return tenant;
  }
}

function bindingFor(tenant: KnownTenant, target: TenantUrl): RouteBinding {
  const key = target.major === undefined ? (target.serverSlug ?? '') : `${target.serverSlug}@${target.major}`;
  const known = tenant.bindings.get(key);
  if (known !== undefined) return known;
  const mounts = mountsFor(tenant, target);
  const binding = { tenantId: tenant.tenantId, mounts, key: routeKey(tenant.tenantId, mounts) };
  tenant.bindings.set(key, binding);
  return binding;
}

function mountsFor(tenant: TenantRoutes, { serverSlug, major }: TenantUrl): Mount[] {
  const mount = (server: LiveServer, prefix: string): Mount => {
    const { releaseId, digest } = releaseAt(server, major);
    return { serverSlug: server.slug, releaseId, digest, prefix, ...(server.writes ? {} : { only: 'read' as const }) };
  };
  if (serverSlug === undefined) return tenant.servers.map((server) => mount(server, `${server.slug}__`));
  const server = tenant.servers.find(({ slug }) => slug === serverSlug);
  if (server === undefined) throw new AppError('not_found');
  return [mount(server, '')];
}
