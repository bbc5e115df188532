import type { RuleId } from '#libs/connect-attempts';
import { JWT_BEARER } from '../federation/grant-type.js';

/** An OAuth error as the provider or we made it; `detail` stays inside. */
export interface OAuthProblem {
  readonly error: string;
  readonly description: string;
  readonly detail: string;
}

/** The rule at which an authorization request stopped. */
export function authorizeRule({ error, description }: OAuthProblem): RuleId {
  switch (error) {
    case 'invalid_client':
      return 'client_unknown';
    case 'invalid_redirect_uri':
      return 'redirect_uri_unregistered';
    case 'invalid_target':
      return description.includes('not a tenant URL') || description.includes('suspended')
        ? 'resource_unknown'
        : 'resource_missing';
    case 'invalid_scope':
      return 'scope_unknown';
    case 'unsupported_response_type':
    case 'unauthorized_client':
      return 'response_type_unsupported';
    case 'invalid_request':
      if (/PKCE|code_challenge must be provided/.test(description)) return 'pkce_missing';
      return description.includes('code_challenge') ? 'pkce_not_s256' : 'authorize_invalid';
    default:
      return 'authorize_invalid';
  }
}

/** The rule at which a token request stopped. */
export function tokenRule({ error, description, detail }: OAuthProblem, grantType: string): RuleId {
  switch (error) {
    case 'invalid_client':
      return 'client_refused';
    case 'invalid_target':
      return 'token_resource_wrong';
    case 'temporarily_unavailable':
      return 'token_limited';
    case 'access_denied':
      return 'consent_refused';
    case 'expired_token':
      return 'device_code_expired';
    case 'invalid_grant':
      if (/code_verifier/.test(`${detail} ${description}`)) return 'verifier_wrong';
      if (detail.includes('redirect_uri')) return 'redirect_uri_differs';
      if (detail.includes('client mismatch')) return 'client_mismatch';
      if (grantType === JWT_BEARER) return 'assertion_refused';
      return grantType === 'refresh_token' ? 'refresh_ended' : 'code_invalid';
    case 'invalid_request':
      return /code_verifier/.test(`${detail} ${description}`) ? 'verifier_wrong' : 'token_refused';
    default:
      return 'token_refused';
  }
}
