import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { toProblemDocument, type AppError } from '#libs/errors';
import { waitHeaders } from './rate-limit.js';

const DISCARD_MS = 5_000;

/** Headers that every answer of ours carries, for `writeHead`. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Sets the headers that every answer of ours carries. */
export function securityHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...headers,
    'content-length': body.length,
  });
  response.end(body);
  boundUnread(response);
}

/**
 * A client that still sends its body would not read an answer on a closed connection: Node goes on discarding what
 * comes, and here that ends.
 */
function boundUnread({ req: request }: ServerResponse): void {
  if (request.complete) return;
  const timer = setTimeout(() => request.destroy(), DISCARD_MS);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}

/**
 * Answers with an RFC 9457 problem document. It repeats the answer's `X-Request-Id` where it has one, and names `docs`,
 * where this kind of error is explained; a limit that is full stands in `RateLimit`.
 */
export function sendProblem(
  response: ServerResponse,
  error: AppError,
  headers: OutgoingHttpHeaders = {},
  docs?: string,
): void {
  const requestId = headers['x-request-id'] ?? response.getHeader('x-request-id');
  const about = {
    ...(typeof requestId === 'string' ? { request_id: requestId } : {}),
    ...(docs === undefined ? {} : { docs }),
  };
  sendJson(response, error.status, toProblemDocument(error, about), {
    'content-type': 'application/problem+json; charset=utf-8',
    ...waitHeaders(error),
    ...headers,
  });
}

/**
 * The address a request came from. With `trustProxy`, the last entry of `X-Forwarded-For`, which our own balancer
 * wrote; entries before it are the client's word.
 */
export function clientAddress(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = request.headers['x-forwarded-for'];
  if (trustProxy && typeof forwarded === 'string') {
    const last = forwarded.split(',').at(-1)?.trim();
    if (last !== undefined && last !== '') return last;
  }
  return request.socket.remoteAddress ?? 'unknown';
}

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The request's W3C `traceparent`, when it is well formed. */
export function requestTraceparent(request: IncomingMessage): string | undefined {
  return validTraceparent(request.headers['traceparent']);
}

/** A W3C `traceparent`, when it is a well-formed one. */
export function validTraceparent(value: unknown): string | undefined {
  return typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined;
}
