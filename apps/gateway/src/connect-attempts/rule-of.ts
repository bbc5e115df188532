import type { IncomingMessage } from 'node:http';
import type { RuleId } from '#libs/connect-attempts';
import type { AppError, ErrorCode } from '#libs/errors';
import type { Credential } from '../edge/credential.js';
import { PossessionError } from '../edge/possession-error.js';

const RULE_OF_CODE: Partial<Record<ErrorCode, RuleId>> = {
  origin_refused: 'origin_refused',
  insufficient_scope: 'scope_missing',
  forbidden: 'scope_missing',
  not_acceptable: 'accept_missing',
  unsupported_media_type: 'content_type_wrong',
  unsupported_protocol_version: 'version_unsupported',
  header_mismatch: 'header_mismatch',
  session_required: 'session_missing',
  session_not_found: 'session_unknown',
  tenant_suspended: 'tenant_suspended',
  rate_limited: 'calls_limited',
  worker_failed: 'server_failed',
  deadline_exceeded: 'server_failed',
  unavailable: 'platform_failed',
  internal: 'platform_failed',
};

/** The rule at which a request was refused; `ok` for the challenge that every agent without a credential gets. */
export function ruleOf(
  error: AppError,
  request: IncomingMessage,
  credential: Credential['kind'] | undefined,
): 'ok' | RuleId {
  // A nonce is asked for in passing: the agent comes again with it.
  if (error instanceof PossessionError) return error.fault === 'use_dpop_nonce' ? 'ok' : 'token_unproved';
  if (error.code === 'unauthenticated') return credential === 'none' ? 'ok' : refusedCredential(error, credential);
  if (error.code === 'invalid_request' && credential === undefined) {
    const both = request.headers.authorization !== undefined && request.headers['x-api-key'] !== undefined;
    return both ? 'two_credentials' : 'credential_in_query';
  }
  return RULE_OF_CODE[error.code] ?? 'message_invalid';
}

function refusedCredential(error: AppError, credential: Credential['kind'] | undefined): RuleId {
  if (credential === 'api-key') return 'api_key_unknown';
  // A token that verified and is refused all the same hangs on something that has ended.
  if (!(error.cause instanceof Error)) return 'access_ended';
  if (Reflect.get(error.cause, 'code') === 'ERR_JWT_EXPIRED') return 'token_expired';
  return Reflect.get(error.cause, 'claim') === 'aud' ? 'token_wrong_audience' : 'token_invalid';
}
