/** What a path of the authorization server is for. */
export type Route =
  | { readonly kind: 'metadata' }
  | { readonly kind: 'registration' }
  | { readonly kind: 'interaction'; readonly uid: string }
  /** What agents hold for a person; `id` names one of it. */
  | { readonly kind: 'grants'; readonly id: string | undefined }
  | { readonly kind: 'sessions' }
  | { readonly kind: 'account'; readonly page: AccountPageName }
  /** Where a tenant's OpenID provider sends people back to. */
  | { readonly kind: 'federation'; readonly tenantSlug: string }
  /** A person's logins at upstreams. */
  | { readonly kind: 'connections' }
  /** Where an upstream sends people back to, or reads what we are. */
  | { readonly kind: 'connector'; readonly tenantSlug: string; readonly connector: string; readonly end: string }
  /** A path of the provider, below the issuer's. */
  | { readonly kind: 'provider'; readonly path: string }
  /** An endpoint that was looked for at the root of the origin and is elsewhere; it is a page, so a redirect leads there. */
  | { readonly kind: 'moved'; readonly path: string }
  | { readonly kind: 'none' };

const ACCOUNT_PAGES = ['security', 'app', 'forgot', 'reset', 'verify'] as const;
/** The pages about how a person signs in. */
export type AccountPageName = (typeof ACCOUNT_PAGES)[number];

const CONNECTOR = /^\/connections\/([a-z0-9-]{1,63})\/([a-z0-9-]{1,32})\/(callback|client)$/;
const DOCUMENTS = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];

/**
 * What a path is for. Metadata is found by path insertion (RFC 8414 §3.1, OpenID Connect likewise) and appended to the
 * issuer; an issuer without a path has one form of each.
 */
export function routeOf(issuer: URL, path: string): Route {
  const mount = issuer.pathname.replace(/\/$/, '');
  if (DOCUMENTS.some((document) => path === `${document}${mount}` || path === `${mount}${document}`)) {
    return { kind: 'metadata' };
  }
  if (!path.startsWith(`${mount}/`)) return atRoot(path);
  const below = path.slice(mount.length);
  if (below === '/register') return { kind: 'registration' };
  if (below === '/sessions') return { kind: 'sessions' };
  const account = ACCOUNT_PAGES.find((page) => below === (page === 'security' ? '/account' : `/account/${page}`));
  if (account !== undefined) return { kind: 'account', page: account };
  if (/^\/account\/connections(?:\/[a-z0-9-]{1,63}\/[a-z0-9-]{1,32})?$/.test(below)) return { kind: 'connections' };
  const [, tenantSlug, connector, end] = CONNECTOR.exec(below) ?? [];
  if (tenantSlug !== undefined && connector !== undefined && end !== undefined)
    return { kind: 'connector', tenantSlug, connector, end };
  const slug = /^\/federation\/([a-z0-9-]{1,63})\/callback$/.exec(below)?.[1];
  if (slug !== undefined) return { kind: 'federation', tenantSlug: slug };
  const uid = /^\/interaction\/([A-Za-z0-9_-]{1,100})$/.exec(below)?.[1];
  return uid === undefined ? { kind: 'provider', path: below } : { kind: 'interaction', uid };
}

/** A part of the management API that only this service can answer; and some clients ignore the metadata's endpoints and call their default places (MCP 2025-03-26, authorization, 2.3.3). */
function atRoot(path: string): Route {
  const grants = /^\/v1\/me\/grants(?:\/([0-9a-f]{64}))?$/.exec(path);
  if (grants !== null) return { kind: 'grants', id: grants[1] };
  if (path === '/authorize') return { kind: 'moved', path };
  if (path === '/token') return { kind: 'provider', path };
  return path === '/register' ? { kind: 'registration' } : { kind: 'none' };
}
