import { environmentOf } from '#libs/protocol';
import type { TenantUrl } from '../edge/tenant-url.js';
import type { LiveServer, TenantRoutes, ProfileRoute } from './tenants.repository.js';

/** The profile of this slug is the tenant's own URL's; no server can be called so. */
export const OWN_URL = 'mcp';

/** A URL as its tenant has it now: a profile's is one of several servers. */
export interface RoutedUrl extends TenantUrl {
  readonly profile?: ProfileRoute;
}

/** What a URL names now, also one that named something else before: the tenant's own, a server's or a profile's. */
export function routedUrl({ profiles }: TenantRoutes, before: RoutedUrl): RoutedUrl {
  const target = before.profile === undefined ? before : asCalled(before, before.profile.slug);
  if (profiles.length === 0 || target.serverSlug === OWN_URL || target.major !== undefined) return target;
  const slug = target.serverSlug ?? OWN_URL;
  const profile = profiles.find((own) => own.slug === slug);
  return profile === undefined ? target : { ...target, serverSlug: undefined, profile };
}

/** The servers that may be behind a URL. Behind one of several, their other environments are none: they have URLs of their own. */
export function serversBehind(
  servers: readonly LiveServer[],
  { profile, serverSlug }: RoutedUrl,
): readonly LiveServer[] {
  if (serverSlug !== undefined) return servers;
  const own = servers.filter(({ slug }) => environmentOf(slug) === undefined);
  if (profile === undefined) return own;
  const named = profile.servers;
  return own
    .filter(({ slug }) => named === null || named.includes(slug))
    .map((server) => (profile.readOnly && server.writes ? { ...server, writes: false } : server));
}

function asCalled({ profile: _, ...target }: RoutedUrl, slug: string): TenantUrl {
  return { ...target, serverSlug: slug === OWN_URL ? undefined : slug };
}
