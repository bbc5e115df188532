import type { IncomingMessage } from 'node:http';
import { SUPPORTED_PROTOCOL_VERSIONS, type InboundClassificationOutcome } from '@modelcontextprotocol/server';
import { AppError, type ErrorCode } from '#libs/errors';
import { requireStream } from './accept.js';
import { runBy, subjectOf, type Exchange, type MessageHead } from './exchange.js';
import { observedOf } from './observed.js';
import { parameterHeaders, protocolHeaders, requireStandardHeaders, type ProtocolHeaders } from './modern-headers.js';
import type { ReceivedMessage } from './read-message.js';
import { SdkVerdicts } from './sdk-verdicts.js';

/** The revisions without sessions that are served; `server/discover` names the same. */
export const MODERN_VERSIONS = ['2026-07-28'];

const verdicts = new SdkVerdicts();

type Rejection = Extract<InboundClassificationOutcome, { kind: 'reject' }>;
type ModernRoute = Extract<InboundClassificationOutcome, { kind: 'modern' }>;

const REJECTIONS: Readonly<Record<number, ErrorCode>> = {
  [-32020]: 'header_mismatch',
  [-32022]: 'unsupported_protocol_version',
  [-32602]: 'invalid_params',
};

/** Which era a POSTed message belongs to and what it is, by the SDK's own rules. @throws AppError */
export function classifyMessage(request: IncomingMessage, received: ReceivedMessage): Exchange {
  const headers = protocolHeaders(request);
  const outcome = verdicts.judge(headers, received.value);
  if (outcome.kind === 'reject') throw refusal(outcome);
  if (outcome.kind === 'modern') return modernExchange(request, received, outcome, headers);
  if (outcome.reason === 'batch') {
    throw new AppError('invalid_request', {
      message: 'Send one JSON-RPC message at a time; batches are not supported.',
    });
  }
  const initializing = outcome.reason === 'initialize';
  if (!initializing) requireLegacyVersion(headers);
  return {
    era: 'legacy',
    operation: 'message',
    head: headOf(received.value),
    payload: received.payload,
    ...sessionOf(request),
  };
}

/** What a GET (listen to a session) or DELETE (end it) asks; both are of the 2025 era only. @throws AppError */
export function classifySessionRequest(request: IncomingMessage, method: 'GET' | 'DELETE'): Exchange {
  const headers = protocolHeaders(request);
  if (headers.version !== undefined && MODERN_VERSIONS.includes(headers.version)) {
    throw new AppError('method_not_allowed', {
      message: `Protocol version ${headers.version} has no ${method}; send POST.`,
    });
  }
  const session = sessionOf(request);
  if (session.sessionId === undefined) throw new AppError('session_required');
  requireLegacyVersion(headers);
  if (method === 'GET') requireStream(request);
  const payload = Buffer.alloc(0);
  const lastEventId = request.headers['last-event-id'];
  if (method === 'DELETE') return { era: 'legacy', operation: 'close', payload, ...session };
  return {
    era: 'legacy',
    operation: 'listen',
    payload,
    ...session,
    ...(typeof lastEventId === 'string' && lastEventId !== '' ? { lastEventId } : {}),
  };
}

function modernExchange(
  request: IncomingMessage,
  received: ReceivedMessage,
  route: ModernRoute,
  headers: ProtocolHeaders,
): Exchange {
  const version = route.classification.revision ?? headers.version ?? '';
  if (!MODERN_VERSIONS.includes(version)) {
    throw new AppError('unsupported_protocol_version', {
      message: `Protocol version ${version.slice(0, 32)} is not supported.`,
      data: { supported: MODERN_VERSIONS, requested: version.slice(0, 32) },
    });
  }
  const head = headOf(received.value);
  if (route.messageKind === 'request') requireStandardHeaders(headers, route.message.method, route.message.params);
  return {
    era: 'modern',
    operation: 'message',
    head,
    payload: received.payload,
    parameterHeaders: parameterHeaders(request),
  };
}

function refusal(rejection: Rejection): AppError {
  const { data } = rejection;
  return new AppError(REJECTIONS[rejection.code] ?? 'invalid_request', {
    message: rejection.message,
    ...(typeof data === 'object' && data !== null ? { data: { ...data } } : {}),
  });
}

function requireLegacyVersion(headers: ProtocolHeaders): void {
  if (headers.version === undefined || SUPPORTED_PROTOCOL_VERSIONS.includes(headers.version)) return;
  const supported = [...SUPPORTED_PROTOCOL_VERSIONS, ...MODERN_VERSIONS].join(', ');
  throw new AppError('invalid_request', {
    message: `Bad Request: Unsupported protocol version (supported versions: ${supported}).`,
  });
}

const SESSION_ID = /^[\x21-\x7e]{1,1400}$/;

function sessionOf(request: IncomingMessage): { sessionId?: string } {
  const value = request.headers['mcp-session-id'];
  if (typeof value !== 'string') return {};
  if (!SESSION_ID.test(value)) throw new AppError('session_not_found');
  return { sessionId: value };
}

function headOf(value: unknown): MessageHead {
  // The SDK's guards have proved above that this is a JSON-RPC message.
  const message = value as { id?: string | number; method?: string; params?: unknown };
  if (message.method === undefined) return { kind: 'response' };
  if (message.id === undefined) return { kind: 'notification', method: message.method };
  const subject = subjectOf(message.method, message.params);
  const runs = runBy(subject, message.params);
  return {
    kind: 'request',
    id: message.id,
    method: message.method,
    ...(subject === undefined ? {} : { subject }),
    ...(runs === undefined ? {} : { runs }),
    ...observedOf(message.method, message.params),
  };
}
