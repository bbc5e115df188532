import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { ERROR_CATALOGUE, type AppError, type ReachedLimit } from '#libs/errors';
import { sendJson, waitHeaders } from '#libs/http';
import { DPOP_ALGORITHMS, firstScope, type ServerScopes } from '#libs/identity';
import { PossessionError } from './possession-error.js';
import type { RequestId } from './exchange.js';
import type { TenantUrl } from './tenant-url.js';

/** A JSON-RPC error response for an error of ours; nothing but its public sentence and data leaves. */
export function errorMessage(error: AppError, id: RequestId | undefined): object {
  const reached = error.limit === undefined ? error.data : { ...error.data, ...limitData(error, error.limit) };
  const data = error.problems.length > 0 ? { ...reached, problems: error.problems } : reached;
  return {
    jsonrpc: '2.0',
    id: id ?? null,
    error: { code: error.jsonRpcCode, message: publicSentence(error), ...(data === undefined ? {} : { data }) },
  };
}

/** Answers an error as JSON-RPC over HTTP, with the headers that its status asks for. */
export function answerError(
  response: ServerResponse,
  error: AppError,
  id: RequestId | undefined,
  challenge: string | undefined,
): void {
  const headers: OutgoingHttpHeaders = waitHeaders(error);
  if (error.status === 405) headers['allow'] = 'POST, GET, DELETE, OPTIONS';
  if (challenge !== undefined) headers['www-authenticate'] = challenge;
  if (error instanceof PossessionError && error.nonce !== undefined) headers['dpop-nonce'] = error.nonce;
  sendJson(response, error.status, errorMessage(error, id), headers);
}

/**
 * The `WWW-Authenticate` of a 401 or 403 (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1); undefined for other errors. Its
 * scope is what the refused operation needs, or else what agents are asked for at first (MCP 2026-07-28, authorization,
 * "Step-Up").
 */
export function challengeOf(
  error: AppError,
  { metadataUrl, serverSlug }: TenantUrl,
  servers: readonly ServerScopes[],
  credentialGiven: 'credential-given' | 'no-credential',
): string | undefined {
  const where = `resource_metadata="${metadataUrl}", scope="${neededScope(error) ?? firstScope(servers, serverSlug)}"`;
  if (error.code === 'insufficient_scope') return `Bearer error="insufficient_scope", ${where}`;
  if (error.code !== 'unauthenticated') return undefined;
  if (error instanceof PossessionError) {
    return `DPoP error="${error.fault}", error_description="${headerText(error.message)}", algs="${DPOP_ALGORITHMS.join(' ')}", ${where}`;
  }
  return credentialGiven === 'credential-given'
    ? `Bearer error="invalid_token", error_description="${headerText(error.message)}", ${where}`
    : `Bearer ${where}`;
}

/** What is full, for clients that see no headers; the same in both eras. */
function limitData({ retryAfterSeconds }: AppError, limit: ReachedLimit): Readonly<Record<string, unknown>> {
  const { name, quota, windowSeconds, refilledAt } = limit;
  return {
    limit: name,
    ...(quota === undefined ? {} : { quota }),
    ...(windowSeconds === undefined ? {} : { window_seconds: windowSeconds }),
    ...(refilledAt === undefined ? {} : { refilled_at: refilledAt }),
    ...(retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds }),
  };
}

/** Text as it may stand in a quoted string of a header (RFC 6750 §3). */
function headerText(text: string): string {
  return text.replaceAll('’', "'").replaceAll(/[^\x20-\x7e]|["\\]/g, '');
}

function neededScope(error: AppError): string | undefined {
  const scope = error.data?.['scope'];
  return typeof scope === 'string' ? scope : undefined;
}

function publicSentence(error: AppError): string {
  return error.code === 'internal' ? ERROR_CATALOGUE.internal.title : error.message;
}
