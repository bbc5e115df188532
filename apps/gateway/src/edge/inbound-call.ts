import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';
import { clientAddress, requestTraceparent } from '#libs/http';
import { credentialOf, type Credential } from './credential.js';
import type { TenantUrl } from './tenant-url.js';

/** First stage: a request to a tenant URL, its body not yet read, so that strangers cost little. */
export interface InboundCall {
  readonly request: IncomingMessage;
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly target: TenantUrl;
  readonly credential: Credential;
  readonly address: string;
  readonly traceparent: string;
  readonly traceId: string;
  /** From `performance.now()`. */
  readonly startedMs: number;
}

/** Reads a request's head. @throws AppError method_not_allowed, invalid_request */
export function receiveCall(
  request: IncomingMessage,
  target: TenantUrl,
  query: URLSearchParams,
  trustProxy: boolean,
): InboundCall {
  const traceparent = requestTraceparent(request) ?? newTraceparent();
  return {
    request,
    method: methodOf(request),
    target,
    credential: credentialOf(request, query),
    address: clientAddress(request, trustProxy),
    traceparent,
    traceId: traceparent.slice(3, 35),
    startedMs: performance.now(),
  };
}

function methodOf(request: IncomingMessage): InboundCall['method'] {
  const { method } = request;
  if (method === 'POST' || method === 'GET' || method === 'DELETE') return method;
  throw new AppError('method_not_allowed', { message: 'A tenant URL is called with POST, GET or DELETE.' });
}

/** UUIDs are cut from a pool of random bytes, where `randomBytes` asks the system each time. */
function newTraceparent(): string {
  const trace = randomUUID().replaceAll('-', '');
  const span = randomUUID().replaceAll('-', '').slice(16); // holds the variant's bits, so it is never all zeros
  return `00-${trace}-${span}-01`;
}
