/** Which connector of which tenant. */
interface Named {
  readonly tenantSlug: string;
  readonly connector: string;
}

/** The page on which a person connects, reconnects or disconnects. It names nobody: whoever opens it acts for themselves. */
export function connectUrl(issuer: string, { tenantSlug, connector }: Named): string {
  return `${withoutSlash(issuer)}/account/connections/${tenantSlug}/${connector}`;
}

/** Where an upstream sends people back to; each connector has an address of its own. */
export function redirectUri(issuer: string, { tenantSlug, connector }: Named): string {
  return `${withoutSlash(issuer)}/connections/${tenantSlug}/${connector}/callback`;
}

/** Where an upstream reads what we are, as a client-id metadata document. */
export function clientDocumentUrl(issuer: string, { tenantSlug, connector }: Named): string {
  return `${withoutSlash(issuer)}/connections/${tenantSlug}/${connector}/client`;
}

function withoutSlash(url: string): string {
  return url.replace(/\/$/, '');
}
