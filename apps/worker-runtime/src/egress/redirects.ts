import type { EgressRequest } from './egress-request.js';
import { anonymousHeaders, permittedHeaders } from './outgoing-request.js';
import type { Redaction } from './redaction.js';
import { UpstreamFailure } from './upstream-failure.js';
import type { HopAnswer } from './upstream-request.js';

/** One of the requests that a tool's request becomes when its upstream redirects. */
export interface Hop {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A redirect that leaves its origin leaves its credentials behind, for good. */
  readonly trusted: boolean;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;

/** A tool's request as it leaves first. @throws UpstreamFailure blocked */
export function firstHop({ policy, tool, method, url: text, headers, body, stream }: EgressRequest): Hop {
  const url = URL.parse(text);
  if (url === null || !isHttp(url)) throw new UpstreamFailure('blocked', 'its URL is not http or https');
  if (!policy.allows(url.origin))
    throw new UpstreamFailure('blocked', `${url.origin} is not among the origins of this release`);
  if (policy.findTool(tool) === undefined) throw new UpstreamFailure('blocked', 'the release has no such tool');
  if (!METHODS.has(method)) throw new UpstreamFailure('blocked', 'its method is not allowed');
  if (body.length > REQUEST_BYTES_MAX)
    throw new UpstreamFailure('blocked', `its body is larger than ${REQUEST_BYTES_MAX} bytes`);
  // A stream is read as it comes, line by line.
  const permitted = stream === undefined ? permittedHeaders(headers) : permittedHeaders(headers, 'identity');
  return { url, headers: permitted, trusted: true };
}

/**
 * Where a redirect leads, when it is one to follow: GET and HEAD only, to origins of the release only.
 *
 * @throws UpstreamFailure blocked when it would carry a secret elsewhere
 */
export function nextHop(
  { policy, method }: EgressRequest,
  hop: Hop,
  { status, headers }: HopAnswer,
  redaction: Redaction,
): Hop | undefined {
  if (!REDIRECTS.has(status) || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const location = headers['location'];
  const url = location === undefined ? null : URL.parse(location, hop.url.href);
  if (url === null || !isHttp(url) || !policy.allows(url.origin)) return undefined;
  if (url.origin === hop.url.origin) return { ...hop, url };
  if (redaction.text(url.href) !== url.href)
    throw new UpstreamFailure('blocked', 'a redirect would carry a secret to another origin');
  return { url, headers: anonymousHeaders(hop.headers), trusted: false };
}

function isHttp(url: URL): boolean {
  return (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === '';
}
