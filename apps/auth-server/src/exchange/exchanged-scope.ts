import { basicScope, EVERYTHING, READ_EVERYWHERE, scopesOf, type ServerScopes } from '#libs/identity';

/** What a token allows where it was minted for. */
export interface HeldScopes {
  readonly scopes: readonly string[];
  /** The server it was minted for; undefined on the tenant's own URL. */
  readonly serverSlug: string | undefined;
}

/**
 * The scopes that a token's bearer may get at another server of the tenant: whoever may read here may read there,
 * whoever may do everything here may do everything there that has a name, and what names that server stays itself. A
 * group of tools means nothing elsewhere.
 */
export function exchangeable({ scopes, serverSlug }: HeldScopes, to: ServerScopes): string[] {
  const everything = scopes.includes(EVERYTHING) || scopes.includes(`${serverSlug}:write`);
  const reading = everything || scopes.includes(READ_EVERYWHERE) || scopes.includes(`${serverSlug}:read`);
  return scopesOf(to).filter(
    (scope) => everything || scopes.includes(scope) || (reading && scope === basicScope(to.slug)),
  );
}
