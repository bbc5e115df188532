/** How long a redirect URI may be. */
export const REDIRECT_URI_LENGTH_MAX = 2_048;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
/** RFC 8252 §7.1: a scheme of one's own is a domain name in reverse. */
const OWN_SCHEME = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;
/** Where known agents come back to under a scheme that is no domain name; Cursor registers this beside two others. */
const KNOWN_APPS: ReadonlySet<string> = new Set(['cursor://anysphere.cursor-mcp/oauth/callback']);

/** What a URL's parser takes away, replaces or reads another way than others do. */
// oxlint-disable-next-line no-control-regex -- these are the characters that are refused
const REREAD = /[\u0000-\u0020\u007f\\]/;

/** Whether a URL, as it was sent, holds characters that no URL has and that parsers differ about. */
export function isReread(text: string): boolean {
  return REREAD.test(text) || !text.isWellFormed();
}

/** What is wrong with a client's redirect URI (RFC 9700 §2.1, RFC 8252 §7); undefined where it is good. */
export function redirectUriProblem(uri: string): string | undefined {
  if (!URL.canParse(uri)) return 'is not an absolute URI';
  if (isReread(uri)) return 'must not contain spaces, control characters, backslashes or broken Unicode';
  const { protocol, hostname, username, password } = new URL(uri);
  if (uri.includes('#')) return 'must not have a fragment';
  if (username !== '' || password !== '') return 'must not contain credentials';
  if (KNOWN_APPS.has(uri)) return;
  if (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname)) || OWN_SCHEME.test(protocol)) return;
  return 'must be https, http on a loopback address, or a scheme of the app’s own (a domain name in reverse)';
}

/** Whether a client with these redirect URIs is an app on somebody's machine, whatever it says of itself (RFC 8252). */
export function applicationTypeOf(redirectUris: readonly string[]): 'native' | 'web' {
  return redirectUris.some((uri) => !uri.startsWith('https:')) ? 'native' : 'web';
}
