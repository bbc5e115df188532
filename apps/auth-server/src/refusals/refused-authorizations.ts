import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { KnownRedirects, Redirect } from './known-redirects.js';

/** Where a context's state says how a refused request's client would hear of it. */
const WAY_BACK = 'wayBack';

/**
 * Decides which refused authorization requests are answered at the client's redirect URI at once (RFC 6749 §4.1.2.1):
 * those whose redirect stays on the visitor's own machine, and those that somebody in this browser has been let back to
 * before. Any other gets a page, from which a link leads there with the same answer: anybody can register a client, and
 * a redirect at once would lend our name to any link (RFC 9700 §4.11.2, docs/decisions/refused-authorizations.md).
 */
export function guardRefusedAuthorizations(provider: Provider, known: KnownRedirects): void {
  const refused = (ctx: KoaContextWithOIDC, error: Error): void => {
    if (ctx.oidc?.route !== 'authorization') return;
    const redirect = Reflect.get(error, 'allow_redirect') === true ? redirectOf(ctx) : undefined;
    if (redirect !== undefined && (staysHere(redirect) || known.has(ctx.req, redirect))) return;
    ctx.state[WAY_BACK] = redirect === undefined ? undefined : wayBack(ctx, redirect, error);
    Object.assign(error, { allow_redirect: false });
    // `prompt=none` would have been answered with a redirect's status.
    if (ctx.status < 400) ctx.status = 400;
  };
  provider.on('authorization.error', refused);
  provider.on('server_error', refused);
  provider.on('authorization.success', (ctx) => {
    const redirect = redirectOf(ctx);
    if (redirect !== undefined && !staysHere(redirect)) known.remember(ctx.req, ctx.res, redirect);
  });
}

/** Where a link on the page about a refused request leads, if its client and redirect URI are in order. */
export function wayBackOf(ctx: KoaContextWithOIDC): URL | undefined {
  const found: unknown = ctx.state[WAY_BACK];
  return found instanceof URL ? found : undefined;
}

function redirectOf({ oidc }: KoaContextWithOIDC): Redirect | undefined {
  const redirectUri: unknown = oidc.params?.['redirect_uri'];
  const { client } = oidc;
  if (client === undefined || typeof redirectUri !== 'string' || !client.redirectUriAllowed(redirectUri)) return;
  return { clientId: client.clientId, redirectUri };
}

/** Loopback and schemes of an app's own lead to programs of the visitor's, where nobody can put a page of theirs. */
function staysHere({ redirectUri }: Redirect): boolean {
  return new URL(redirectUri).protocol !== 'https:';
}

function wayBack({ oidc }: KoaContextWithOIDC, { redirectUri }: Redirect, error: Error): URL {
  const url = new URL(redirectUri);
  const answer = new URLSearchParams({ error: error.message });
  const description: unknown = Reflect.get(error, 'error_description');
  if (typeof description === 'string') answer.set('error_description', description);
  const state: unknown = oidc.params?.['state'];
  if (typeof state === 'string') answer.set('state', state);
  answer.set('iss', oidc.provider.issuer);
  if (wantsFragment(oidc.params)) url.hash = answer.toString();
  else for (const [name, value] of answer) url.searchParams.append(name, value);
  return url;
}

function wantsFragment(params: KoaContextWithOIDC['oidc']['params']): boolean {
  const mode = params?.['response_mode'];
  return mode === undefined ? /\btoken\b/.test(String(params?.['response_type'])) : mode === 'fragment';
}
