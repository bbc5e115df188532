import type { FetchFailureReason } from '#libs/protocol';

/** Why an upstream request brought no answer; its message is for the agent and names no address that was resolved. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';

  constructor(
    readonly reason: FetchFailureReason,
    message: string,
    /** Epoch milliseconds of the next possible try. */
    readonly retryAtMs?: number,
  ) {
    super(message);
  }
}

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);
const CAUSES_MAX = 4;
/** The client's parser reports what it did not expect without a code. */
const PARSER_ERROR = 'HPE_UNKNOWN';
const INVALID = new Set(['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'UND_ERR_INFO']);

/** The connection stood and ended: nobody knows whether the upstream had acted by then. */
const BROKEN_OFF = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_CLOSED', 'UND_ERR_DESTROYED']);
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
  if (BROKEN_OFF.has(code)) return new UpstreamFailure('broken_off', '');
  return new UpstreamFailure('connect', sentences[code] ?? '');
}

/** What the usual codes mean, so that whoever set up the tool can act. */
const sentences: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name does not resolve',
  ECONNREFUSED: 'it refused the connection',
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its TLS certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its TLS certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its TLS certificate is not trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another name',
};

/** The code of a system or client error, wherever in its chain it stands. */
function codeOf(error: unknown, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > CAUSES_MAX) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('name' in error && error.name === 'HTTPParserError') return PARSER_ERROR;
  if ('errors' in error && Array.isArray(error.errors)) return codeOf(error.errors[0], depth + 1);
  return 'cause' in error ? codeOf(error.cause, depth + 1) : '';
}
