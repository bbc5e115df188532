import { ERROR_CATALOGUE, type ErrorCode } from '#libs/errors';

/** What came of what was tried, where it was not refused. */
const RESULTS = [
  'ok',
  'failed',
  'refused',
  'revoked',
  'no_access',
  // Of calls, beside the codes of errors; `interrupted`: their end is not known.
  'tool_error',
  'protocol_error',
  'cancelled',
  'deadline',
  'interrupted',
  // Of what operators do.
  'asked',
  'unchanged',
] as const;

/** Of a release, a rollout, a probe and a webhook: the state that it is in now. */
const STATES = [
  'rejected',
  'checking',
  'running',
  'paused',
  'draining',
  'promoted',
  'rolled_back',
  'aborted',
  'passing',
  'failing',
  'diverged',
  'gone',
  'overflowing',
] as const;

/** Of a sign-in with a tenant's provider. */
const SIGN_INS = [
  'outside-domain',
  'no-role',
  'groups-missing',
  'not-a-member',
  'sign-in-ended',
  'turned-away',
  'provider-away',
  'answer-refused',
] as const;

/** Of a token that was refused (RFC 6749 §5.2 and the registry of OAuth errors). */
const OAUTH_ERRORS = [
  'invalid_client',
  'invalid_client_metadata',
  'invalid_grant',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'invalid_redirect_uri',
  'invalid_dpop_proof',
  'invalid_request_object',
  'invalid_request_uri',
  'access_denied',
  'expired_token',
  'unauthorized_client',
  'unsupported_grant_type',
  'server_error',
  'temporarily_unavailable',
] as const;

// The catalogue’s keys are its codes.
const CODES = Object.keys(ERROR_CATALOGUE) as ErrorCode[];

/** Every outcome that the audit log can hold; among them is the code of every error of ours. Text that is free is a detail. */
export const AUDIT_OUTCOMES = [...new Set([...RESULTS, ...CODES, ...STATES, ...SIGN_INS, ...OAUTH_ERRORS])];

/** What came of what an entry tells. */
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

const OUTCOMES: ReadonlySet<string> = new Set(AUDIT_OUTCOMES);

/** Whether the log can hold it. */
export function isAuditOutcome(word: string): word is AuditOutcome {
  return OUTCOMES.has(word);
}
