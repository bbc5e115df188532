import type { AuthorizationCode, DeviceCode, RefreshToken } from 'oidc-provider';

/** What a token is asked for with. */
export type TokenSource = AuthorizationCode | RefreshToken | DeviceCode;

/** The host that the person was sent back to, or the scheme of an app's own. */
export function redirectHostOf(source: TokenSource | undefined): string | undefined {
  const uri = source !== undefined && 'redirectUri' in source ? source.redirectUri : undefined;
  if (typeof uri !== 'string' || !URL.canParse(uri)) return undefined;
  const { host, protocol } = new URL(uri);
  return host === '' ? protocol : host;
}

/** What the authorization was given for, or asked for where nobody has decided. */
export function resourcesOf(source: TokenSource): string[] {
  const asked = source.kind === 'DeviceCode' ? source.params?.['resource'] : undefined;
  if (typeof asked === 'string') return [asked];
  return [...source.resourceIndicators].flatMap((resource) => resource ?? []);
}
