import type { Credential, EgressContext } from '#libs/protocol';
import { ACCEPT_ENCODING } from './response-body.js';
import { UpstreamFailure } from './upstream-failure.js';

type Headers = Readonly<Record<string, string>>;

/** Framing, routing and identity are ours: a runner's value for one of these never leaves. */
const RESERVED = new Set([
  'host',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'accept-encoding',
  'cookie2',
  'forwarded',
  'via',
]);
const RESERVED_PREFIXES = ['proxy-', 'x-forwarded-', 'sec-'];
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A runner's headers without those that are egress's to set. */
export function permittedHeaders(given: Headers, encodings = ACCEPT_ENCODING): Record<string, string> {
  const permitted: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase();
    const reserved = RESERVED.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix));
    if (!reserved && TOKEN.test(lower) && HEADER_VALUE.test(value)) permitted[lower] = value;
  }
  return { ...permitted, 'accept-encoding': encodings };
}

/** The headers a request keeps when a redirect takes it to another origin: nothing that could identify anybody. */
export function anonymousHeaders(headers: Headers): Record<string, string> {
  const kept = ['accept', 'accept-encoding', 'accept-language', 'user-agent'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => kept.includes(name)));
}

/**
 * URL and headers with the credentials in place; whatever the runner put in their places is dropped.
 *
 * @throws UpstreamFailure no_credential, naming the secret to create
 */
export function withCredentials(
  url: URL,
  headers: Headers,
  credentials: readonly Credential[],
  secrets: EgressContext['secrets'],
): { readonly path: string; readonly headers: Record<string, string> } {
  const filled: Record<string, string> = { ...headers };
  let query = url.search.slice(1);
  for (const credential of credentials) {
    const value = `${credential.prefix}${getSecret(credential, secrets)}`;
    if (credential.in === 'query') query = replaceQuery(query, credential.name, value);
    else filled[credential.name.toLowerCase()] = headerText(credential, value);
  }
  return { path: query === '' ? url.pathname : `${url.pathname}?${query}`, headers: filled };
}

function getSecret({ secret }: Credential, secrets: EgressContext['secrets']): string {
  const value = Object.hasOwn(secrets, secret) ? secrets[secret] : undefined;
  if (value !== undefined) return value;
  throw new UpstreamFailure(
    'no_credential',
    `The secret "${secret}" does not exist. The owner of this server creates it with PUT /v1/secrets/${secret}.`,
  );
}

function headerText({ secret }: Credential, value: string): string {
  if (HEADER_VALUE.test(value) && value.trim() === value) return value;
  throw new UpstreamFailure(
    'no_credential',
    `The secret "${secret}" holds characters that cannot stand in a header. The owner of this server writes it again with PUT /v1/secrets/${secret}.`,
  );
}

/** A query with one more parameter in place of any of the same name; the other parameters stay byte for byte. */
function replaceQuery(query: string, name: string, value: string): string {
  const others = query.split('&').filter((pair) => pair !== '' && !new URLSearchParams(pair).has(name));
  return [...others, `${encodeURIComponent(name)}=${encodeURIComponent(value.toWellFormed())}`].join('&');
}
