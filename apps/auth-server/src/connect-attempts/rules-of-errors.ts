import { standingIn } from '../access/why-suspended.js';
import type { RuleId } from '#libs/connect-attempts';
import { TOKEN_EXCHANGE } from '../exchange/grant-type.js';
import { JWT_BEARER } from '../federation/grant-type.js';

/** An OAuth error as the provider or we made it; `detail` stays inside. */
export interface OAuthProblem {
  readonly error: string;
  readonly description: string;
  readonly detail: string;
}

const AUTHORIZE_RULES: Readonly<Record<string, RuleId>> = {
  invalid_redirect_uri: 'redirect_uri_unregistered',
  invalid_scope: 'scope_unknown',
  unsupported_response_type: 'response_type_unsupported',
  unsupported_response_mode: 'response_mode_unsupported',
  unauthorized_client: 'grant_type_unregistered',
  login_required: 'interaction_needed',
  consent_required: 'interaction_needed',
  interaction_required: 'interaction_needed',
  account_selection_required: 'interaction_needed',
  request_not_supported: 'request_object_unsupported',
  request_uri_not_supported: 'request_object_unsupported',
  registration_not_supported: 'request_object_unsupported',
  invalid_request_object: 'request_object_unsupported',
  invalid_request_uri: 'request_uri_ended',
  invalid_dpop_proof: 'proof_refused',
  access_denied: 'consent_refused',
  server_error: 'authorize_failed',
  temporarily_unavailable: 'authorize_failed',
};

/** What in the description of an `invalid_request` at the authorization endpoint tells the rule; the first that fits. */
const INVALID_REQUESTS: ReadonlyArray<readonly [RegExp, RuleId]> = [
  [/PKCE|code_challenge must be provided/, 'pkce_missing'],
  [/code_challenge/, 'pkce_not_s256'],
  [/provided twice/, 'parameter_repeated'],
  [/missing required parameter/, 'parameter_missing'],
  [/response_mode|Response Mode/, 'response_mode_unsupported'],
  [/response_type/, 'response_type_unsupported'],
  [/prompt/, 'prompt_invalid'],
  [/DPoP|dpop/, 'proof_refused'],
  [/not allowed for this client/, 'grant_type_unregistered'],
  [/request_uri|[Rr]equest [Oo]bject/, 'request_object_unsupported'],
];

/** The rule at which an authorization request of a client stopped. */
export function authorizeRule({ error, description }: OAuthProblem, client?: string): RuleId {
  switch (error) {
    case 'invalid_client':
    case 'invalid_client_metadata':
      return client?.startsWith('https:') === true ? 'client_document_unusable' : 'client_unknown';
    case 'invalid_target':
      if (standingIn(description) !== undefined) return 'tenant_suspended';
      return description.includes('not a tenant URL') ? 'resource_unknown' : 'resource_missing';
    case 'invalid_request':
      return INVALID_REQUESTS.find(([pattern]) => pattern.test(description))?.[1] ?? 'authorize_invalid';
    default:
      return AUTHORIZE_RULES[error] ?? 'authorize_invalid';
  }
}

const TOKEN_RULES: Readonly<Record<string, RuleId>> = {
  invalid_client: 'client_refused',
  invalid_target: 'token_resource_wrong',
  invalid_scope: 'scope_refused',
  invalid_dpop_proof: 'proof_refused',
  unauthorized_client: 'grant_type_unregistered',
  unsupported_grant_type: 'grant_type_unsupported',
  temporarily_unavailable: 'token_limited',
  access_denied: 'consent_refused',
  expired_token: 'device_code_expired',
  server_error: 'token_failed',
};

/** The rule at which a token request stopped. */
export function tokenRule({ error, description, detail }: OAuthProblem, grantType: string): RuleId {
  const text = `${detail} ${description}`;
  if (error === 'invalid_target' && standingIn(description) !== undefined) return 'tenant_suspended';
  switch (error) {
    case 'invalid_grant':
      if (/DPoP|jkt|thumbprint/i.test(text)) return 'proof_refused';
      if (text.includes('code_verifier')) return 'verifier_wrong';
      if (detail.includes('redirect_uri')) return 'redirect_uri_differs';
      if (detail.includes('client mismatch')) return 'client_mismatch';
      if (grantType === JWT_BEARER) return 'assertion_refused';
      return grantType === 'refresh_token' ? 'refresh_ended' : 'code_invalid';
    case 'invalid_request':
      if (text.includes('code_verifier')) return 'verifier_wrong';
      if (text.includes('client_assertion')) return 'assertion_unreadable';
      if (text.includes('provided twice')) return 'parameter_repeated';
      if (grantType === TOKEN_EXCHANGE) return 'exchange_refused';
      return text.includes('missing required parameter') ? 'parameter_missing' : 'token_refused';
    default:
      return TOKEN_RULES[error] ?? 'token_refused';
  }
}

/** The rule by which a sign-in went wrong, by what was wrong with it. */
export const LOGIN_RULES = {
  password: 'login_wrong',
  passkey: 'passkey_wrong',
  code: 'second_factor_wrong',
  limited: 'login_limited',
} as const;
