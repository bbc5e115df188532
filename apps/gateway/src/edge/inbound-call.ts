import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';
import { clientAddress, requestTraceparent } from '#libs/http';
import type { WorkSpan } from '#libs/telemetry';
import { credentialOf, type Credential } from './credential.js';
import type { TenantUrl } from './tenant-url.js';

/** First stage: a request to a tenant URL, its body not yet read, so that strangers cost little. */
export interface InboundCall {
  readonly request: IncomingMessage;
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly target: TenantUrl;
  readonly credential: Credential;
  /** The session that the query of an old transport's message names. */
  readonly sessionParameter?: string;
  readonly address: string;
  readonly traceparent: string;
  readonly traceId: string;
  /** Its span, where spans are exported and it was understood. */
  readonly span?: WorkSpan;
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
  const sessionParameter = target.transport === 'messages' ? query.get('sessionId') : null;
  const traceparent = requestTraceparent(request) ?? newTraceparent();
  return {
    request,
    method: methodOf(request),
    target,
    credential: credentialOf(request, query),
    ...(sessionParameter === null ? {} : { sessionParameter }),
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

const TRACE_BYTES = 24;
/** Randomness of many calls, as text: asking the system for it costs more than all else here. */
let random = '';
let used = 0;

function newTraceparent(): string {
  if (used === random.length) {
    random = randomBytes(TRACE_BYTES * 256).toString('hex');
    used = 0;
  }
  const trace = random.slice(used, used + 32);
  const span = random.slice(used + 33, used + 48);
  used += TRACE_BYTES * 2;
  return `00-${trace}-1${span}-01`; // the digit in front, so that it is never all zeros
}
