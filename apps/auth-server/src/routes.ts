/** What a path of the authorization server is for. */
export type Route =
  | { readonly kind: 'metadata' }
  | { readonly kind: 'registration' }
  | { readonly kind: 'interaction'; readonly uid: string }
  /** What agents hold for a person; `id` names one of it. */
  | { readonly kind: 'grants'; readonly id: string | undefined }
  | { readonly kind: 'sessions' }
  /** Where a tenant's OpenID provider sends people back to. */
  | { readonly kind: 'federation'; readonly tenantSlug: string }
  /** A path of the provider, below the issuer's. */
  | { readonly kind: 'provider'; readonly path: string }
  | { readonly kind: 'none' };

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
  if (!path.startsWith(`${mount}/`)) return { kind: 'none' };
  const below = path.slice(mount.length);
  if (below === '/register') return { kind: 'registration' };
  if (below === '/sessions') return { kind: 'sessions' };
  const grants = /^\/me\/grants(?:\/([0-9a-f]{64}))?$/.exec(below);
  if (grants !== null) return { kind: 'grants', id: grants[1] };
  const slug = /^\/federation\/([a-z0-9-]{1,63})\/callback$/.exec(below)?.[1];
  if (slug !== undefined) return { kind: 'federation', tenantSlug: slug };
  const uid = /^\/interaction\/([A-Za-z0-9_-]{1,100})$/.exec(below)?.[1];
  return uid === undefined ? { kind: 'provider', path: below } : { kind: 'interaction', uid };
}
