import type { FetchFailureReason, LoginWanted } from '#libs/protocol';

/** When another try may bring an answer: never, for requests that may run twice, or for all because nothing was sent. */
export type Retry = 'never' | 'idempotent' | 'always';

/** Why an upstream request brought no answer; its message is for the agent and names no address that was resolved. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';
  /** Epoch milliseconds of the next possible try. */
  readonly retryAtMs: number | undefined;
  readonly retry: Retry;
  /** Set where the person who calls has to log in at the upstream first. */
  readonly login: LoginWanted | undefined;

  constructor(
    readonly reason: FetchFailureReason,
    message: string,
    {
      retryAtMs,
      retry = 'never',
      login,
    }: { readonly retryAtMs?: number; readonly retry?: Retry; readonly login?: LoginWanted } = {},
  ) {
    super(message);
    this.retryAtMs = retryAtMs;
    this.retry = retry;
    this.login = login;
  }
}

/** What broke off before or after the request was on its way and may work the next time. */
const PASSING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'EAI_AGAIN',
  'ESERVFAIL',
  'ETIMEOUT',
  'EREFUSED',
]);
const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
const CAUSES_MAX = 4;
/** The client's parser reports what it did not expect without a code. */
const PARSER_ERROR = 'HPE_UNKNOWN';
const INVALID = new Set(['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'UND_ERR_INFO']);
const DECODING = /^(?:Z_|ERR_ZLIB|ERR_BROTLI|ERR__ERROR)/;

/** The failure in whatever the HTTP client threw; `signal` tells running out of time from being cancelled. */
export function upstreamFailureOf(error: unknown, signal: AbortSignal): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error;
  if (signal.aborted) {
    const late = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
    return new UpstreamFailure(late ? 'timeout' : 'aborted', '');
  }
  const code = codeOf(error);
  if (TIMEOUTS.has(code)) return new UpstreamFailure('timeout', '');
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return new UpstreamFailure('too_large', 'its headers are larger than 64 KiB');
  if (DECODING.test(code)) return new UpstreamFailure('invalid_response', 'its compressed body cannot be read');
  if (code.startsWith('HPE_') || INVALID.has(code)) return new UpstreamFailure('invalid_response', '');
  // Every connection that does not come about is told as such where it is opened; from there on, nobody knows.
  return new UpstreamFailure('broken_off', '', { retry: PASSING.has(code) ? 'idempotent' : 'never' });
}

/** The failure in what opening a connection threw: nothing of the request was sent. */
export function connectFailureOf(error: unknown): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error;
  const code = codeOf(error);
  const mistrust = untrusted[code];
  if (mistrust !== undefined) return new UpstreamFailure('untrusted', mistrust);
  return new UpstreamFailure('connect', sentences[code] ?? '', { retry: PASSING.has(code) ? 'always' : 'never' });
}

/** What the usual codes mean, so that whoever set up the tool can act. */
const sentences: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name does not resolve',
  ENODATA: 'its name does not resolve',
  EAI_AGAIN: 'its name cannot be resolved for the moment',
  ESERVFAIL: 'its name cannot be resolved for the moment',
  ETIMEOUT: 'its name cannot be resolved for the moment',
  ECONNREFUSED: 'it refused the connection',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'there is no way to its address',
  ENETUNREACH: 'there is no way to its address',
  ETIMEDOUT: 'it did not take the connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'it did not take the connection in time',
  UND_ERR_SOCKET: 'it closed the connection',
  EPROTO: 'it does not speak TLS as expected',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
};

/** Certificates that do not prove who the upstream is. */
const untrusted: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_REVOKED: 'it is revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its issuer is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its issuer is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its issuer is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its issuer is not trusted',
  INVALID_PURPOSE: 'it is not meant for servers',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
};

/** The code of a system or client error, wherever in its chain it stands. */
function codeOf(error: unknown, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > CAUSES_MAX) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('name' in error && error.name === 'HTTPParserError') return PARSER_ERROR;
  if ('errors' in error && Array.isArray(error.errors)) return codeOf(error.errors[0], depth + 1);
  return 'cause' in error ? codeOf(error.cause, depth + 1) : '';
}

const RULES: ReadonlySet<UpstreamFailure['reason']> = new Set(['blocked', 'no_credential', 'busy', 'too_large']);

/** Which rule of ours ended a request, where one did and not the upstream. */
export function ruleOfFailure(reason: UpstreamFailure['reason'], origin: string): string | undefined {
  if (reason === 'open' || reason === 'held') return `breaker:${origin}`;
  return RULES.has(reason) ? `egress.${reason}` : undefined;
}
