import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { elsewhere, type ServingRegion } from '#libs/identity';
import type { RuleSet } from '#libs/policies';
import { environmentOf, nameMaxBehind, routeKey, type Mount, type RouteBinding } from '#libs/protocol';
import type { InboundCall } from '../edge/inbound-call.js';
import type { TenantUrl } from '../edge/tenant-url.js';
import { FreshCache } from './fresh-cache.js';
import { guardOf } from '../policies/guards.js';
import { routedUrl, serversBehind, type RoutedUrl } from './profiles.js';
import { isCandidateFor } from './candidate-share.js';
import { releaseAt } from './majors.js';
import { findTenantRoutes, type LiveServer, type TenantRoutes } from './tenants.repository.js';

/** Second stage: the call's tenant is known and what would answer it, though not yet who asks. */
export interface RoutedCall extends InboundCall {
  readonly target: RoutedUrl;
  readonly tenant: RoutedTenant;
  /** What is live at this URL now. */
  readonly route: RouteBinding;
}

/**
 * Suspended tenants serve nothing, those of another region nothing here, and nobody does while everything, or the region, is maintained.
 * @throws AppError tenant_suspended, misdirected, unavailable
 */
export function requireActive({ elsewhere, status, deletionDueAt, maintenance }: ServedTenant): void {
  if (elsewhere !== undefined) throw elsewhere;
  if (status === 'suspended') throw suspended(deletionDueAt);
  const leftMs = maintenance === null ? 0 : Date.parse(maintenance.until) - Date.now();
  if (maintenance === null || leftMs <= 0) return;
  throw new AppError('unavailable', {
    message: `${maintenance.region === null ? 'The platform' : `The region ${maintenance.region}`} is being maintained: ${maintenance.message}`,
    retryAfterSeconds: Math.ceil(leftMs / 1_000),
  });
}

function suspended(deletionDueAt: string | null): AppError {
  if (deletionDueAt === null) return new AppError('tenant_suspended');
  return new AppError('tenant_suspended', {
    message:
      'This tenant is to be deleted, and until then it serves nothing. ' +
      'GET /v1/tenant/deletion at the management API tells its owners when that is, who asked for it, and who can keep it.',
  });
}

/** A tenant, and why it is not served here. */
export interface ServedTenant extends TenantRoutes {
  /** Undefined where it is. */
  readonly elsewhere: AppError | undefined;
}

/** A tenant with what its routes have come to so far. */
export interface RoutedTenant extends ServedTenant {
  /** By server slug (`''` for the tenant's own URL) or profile, and by the candidates that take a stable release's place. */
  readonly bindings: Map<string, RouteBinding>;
  /** Whether candidates have a part of the callers. */
  readonly rollingOut: boolean;
  readonly withdrawn: ReadonlySet<string>;
  /** What its calls are judged by; undefined where it has no rules, and no server of its asks for approvals. */
  readonly guard: RuleSet | undefined;
}

const TENANTS_MAX = 10_000;
const BINDINGS_MAX = 1_000;

/** Which tenant and which live releases a URL names; kept in memory and refreshed when the database tells of a change. */
export class RouteTable {
  readonly #tenants: FreshCache<RoutedTenant>;

  constructor(
    private readonly database: Database,
    hearing: () => boolean,
    private readonly serving: ServingRegion = { region: undefined, urls: {} },
  ) {
    this.#tenants = new FreshCache({ entriesMax: TENANTS_MAX, hearing });
  }

  /** Routes a call. @throws AppError not_found, the same for whatever does not exist */
  async route(call: InboundCall): Promise<RoutedCall> {
    const tenant = await this.#getTenant(call.target.tenantSlug);
    const target = routedUrl(tenant, call.target);
    return { ...call, target, tenant, route: bindingFor(tenant, target) };
  }

  /**
   * The releases that serve a caller: those that are live, or candidates that the caller has a share of. `stickTo`: the
   * caller's name, or its session's; the same one meets the same release as long as the rollout's share does not shrink.
   */
  choose(call: RoutedCall, stickTo: string): RouteBinding {
    const { tenant, target } = call;
    if (!tenant.rollingOut) return call.route;
    const chosen = tenant.servers.filter(
      (server) => rollsOutAt(server, target) && isCandidateFor(server.rollout, stickTo),
    );
    return chosen.length === 0 ? call.route : bindingFor(tenant, target, new Set(chosen.map(({ slug }) => slug)));
  }

  /** The same route with a server's candidate in the place of its stable release. */
  withCandidate(call: RoutedCall, serverSlug: string): RouteBinding {
    return bindingFor(call.tenant, call.target, new Set([serverSlug]));
  }

  /** Whether a session that was opened at this URL may go on. @throws AppError not_found where the URL leads nowhere now */
  async serves(target: TenantUrl, route: RouteBinding): Promise<boolean> {
    const tenant = await this.#getTenant(target.tenantSlug);
    const served = bindingFor(tenant, routedUrl(tenant, target));
    return served.view === route.view && !isWithdrawn(tenant, served, route);
  }

  /** The tenant of a URL that serves calls. @throws AppError not_found */
  async getTenantAt(target: TenantUrl): Promise<ServedTenant> {
    const tenant = await this.#getTenant(target.tenantSlug);
    mountsFor(tenant, routedUrl(tenant, target));
    return tenant;
  }

  /** A tenant by its slug. @throws AppError not_found */
  async getTenant(slug: string): Promise<ServedTenant> {
    return this.#getTenant(slug);
  }

  /** Whether a tenant is remembered now; asks nobody. */
  knows(slug: string): boolean {
    return this.#tenants.peek(slug) !== undefined;
  }

  /** Forgets a tenant whose rows changed, or all with `*`. */
  forget(tenantId: string): void {
    this.#tenants.forget(tenantId);
  }

  async #getTenant(slug: string): Promise<RoutedTenant> {
    const tenant = await this.#tenants.get(slug, async () => {
      const routes = await findTenantRoutes(this.database, slug, this.serving.region);
      return routes === undefined ? undefined : routedTenant(routes, this.serving);
    });
    if (tenant === undefined) throw new AppError('not_found');
    return tenant;
  }
}

/** Whether a session's route leads to a release that was taken from its sessions, and that its URL serves no longer. */
export function isWithdrawn({ withdrawn }: RoutedTenant, served: RouteBinding, route: RouteBinding): boolean {
  if (withdrawn.size === 0) return false;
  return route.mounts.some(
    ({ releaseId }) => withdrawn.has(releaseId) && !served.mounts.some((mount) => mount.releaseId === releaseId),
  );
}

function routedTenant(routes: TenantRoutes, serving: ServingRegion): RoutedTenant {
  return {
    ...routes,
    elsewhere: elsewhere(routes.homeRegion, serving),
    bindings: new Map(),
    rollingOut: routes.servers.some(({ rollout }) => rollout !== null && rollout.percent > 0),
    withdrawn: new Set(routes.servers.flatMap(({ withdrawn }) => withdrawn)),
    guard: guardOf(routes),
  };
}

const NO_CANDIDATES: ReadonlySet<string> = new Set();

/** Whether a server's rollout concerns a URL: that of a major version is served by releases of that version only. */
function rollsOutAt({ slug, major, rollout }: LiveServer, target: RoutedUrl): boolean {
  if (target.serverSlug === undefined ? environmentOf(slug) !== undefined : target.serverSlug !== slug) return false;
  if (target.profile?.servers?.includes(slug) === false) return false;
  return target.major === undefined || (major === target.major && rollout?.candidateMajor === target.major);
}

function bindingFor(tenant: RoutedTenant, target: RoutedUrl, candidates = NO_CANDIDATES): RouteBinding {
  const at = placeOf(target);
  const key = candidates.size === 0 ? at : `${at} ${[...candidates].join(' ')}`;
  const known = tenant.bindings.get(key);
  if (known !== undefined) return known;
  const mounts = mountsFor(tenant, target, candidates);
  const view = target.profile?.view;
  const { tenantId } = tenant;
  const binding = { tenantId, mounts, key: routeKey(tenantId, mounts, view), ...(view === undefined ? {} : { view }) };
  if (tenant.bindings.size < BINDINGS_MAX) tenant.bindings.set(key, binding);
  return binding;
}

/** Names a URL among its tenant's. */
function placeOf({ serverSlug, major, profile }: RoutedUrl): string {
  if (profile !== undefined) return `profile ${profile.slug}`;
  return major === undefined ? (serverSlug ?? '') : `${serverSlug}@${major}`;
}

/** How long names may be on a tenant's own URL; a profile has this in its view. */
export function nameMaxAt({ tenantSlug, serverSlug, profile }: RoutedUrl): Pick<Mount, 'nameMax'> {
  return serverSlug === undefined && profile === undefined ? { nameMax: nameMaxBehind(tenantSlug) } : {};
}

function mountsFor(tenant: TenantRoutes, target: RoutedUrl, candidates: ReadonlySet<string> = NO_CANDIDATES): Mount[] {
  const { serverSlug, major } = target;
  const mount = (server: LiveServer, prefix: string): Mount => {
    const candidate = candidates.has(server.slug) ? server.rollout : null;
    const { releaseId, digest } =
      candidate === null
        ? releaseAt(server, major)
        : { releaseId: candidate.candidateId, digest: candidate.candidateDigest };
    const only = server.writes ? {} : { only: 'read' as const };
    return { serverSlug: server.slug, releaseId, digest, prefix, ...only, ...nameMaxAt(target) };
  };
  if (serverSlug === undefined)
    return serversBehind(tenant.servers, target).map((server) => mount(server, `${server.slug}__`));
  const server = tenant.servers.find(({ slug }) => slug === serverSlug);
  if (server === undefined) throw new AppError('not_found');
  return [mount(server, '')];
}
