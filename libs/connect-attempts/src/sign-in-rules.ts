import type { Step } from './steps.js';

/** A rule at which attempts stop, with what to do about it. */
export interface Rule {
  readonly step: Step;
  readonly advice: string;
}

/** The rules of the sign-in page: what an agent must ask for there, and who gets past it. */
export const SIGN_IN_RULES = {
  client_unknown: {
    step: 'authorize',
    advice: 'The client id is not known here; remove the connection in the agent and add it again.',
  },
  redirect_uri_unregistered: {
    step: 'authorize',
    advice:
      'The redirect URI is not one the client registered, character by character; register it, or correct the agent.',
  },
  pkce_missing: {
    step: 'authorize',
    advice: 'The agent sent no code_challenge; it must use PKCE with S256.',
  },
  pkce_not_s256: {
    step: 'authorize',
    advice: 'The agent used another code_challenge_method than S256; it must use PKCE with S256.',
  },
  resource_missing: {
    step: 'authorize',
    advice: 'The agent did not say which URL it wants; it must send exactly one resource parameter (RFC 8707).',
  },
  resource_unknown: {
    step: 'authorize',
    advice: 'The resource parameter names no URL of this platform; it must be exactly the URL that the agent calls.',
  },
  scope_unknown: {
    step: 'authorize',
    advice: 'The agent asked for a scope this URL does not have; use the scopes of the protected-resource metadata.',
  },
  response_type_unsupported: {
    step: 'authorize',
    advice: 'The agent asked for something else than an authorization code; it must use response_type=code.',
  },
  client_document_unusable: {
    step: 'authorize',
    advice:
      'The document at the client id’s URL could not be fetched or is not in order; it must answer 200 with at most 10 KiB of JSON, within 5 s, whose client_id is that URL.',
  },
  grant_type_unregistered: {
    step: 'authorize',
    advice: 'The client is not registered for this way to get tokens; register it anew with the grant type it uses.',
  },
  parameter_repeated: {
    step: 'authorize',
    advice: 'The agent sent a parameter twice; it must send each one once.',
  },
  parameter_missing: {
    step: 'authorize',
    advice: 'The agent left out a parameter that is needed; the error_description of the answer names it.',
  },
  prompt_invalid: {
    step: 'authorize',
    advice: 'The agent sent a prompt that is not known, or none together with another; it must correct or omit it.',
  },
  interaction_needed: {
    step: 'authorize',
    advice: 'The agent asked for an answer without a page (prompt=none), and the person has to sign in or agree first.',
  },
  request_object_unsupported: {
    step: 'authorize',
    advice: 'The agent sent request, request_uri or registration, which are not served here; use plain parameters.',
  },
  request_uri_ended: {
    step: 'authorize',
    advice: 'The pushed request is unknown, was used before, or is older than a minute; the agent must push a new one.',
  },
  response_mode_unsupported: {
    step: 'authorize',
    advice: 'The agent asked for a response_mode that is not served; it must use one of the metadata, or none.',
  },
  proof_refused: {
    step: 'authorize',
    advice: 'The DPoP proof is missing, was used before, or is for another URL, method, key or time; send a new one.',
  },
  authorize_failed: {
    step: 'authorize',
    advice: 'The platform could not answer the authorization request; try again, then ask its operator.',
  },
  authorize_limited: {
    step: 'authorize',
    advice: 'Too many authorization requests came from this address; wait a quarter of an hour.',
  },
  authorize_invalid: {
    step: 'authorize',
    advice: 'The authorization request is not valid; its maker must follow the error page the person was shown.',
  },
  login_wrong: { step: 'login', advice: 'E-mail or password was wrong; check both, or reset the password.' },
  second_factor_wrong: {
    step: 'login',
    advice: 'The code of the authenticator app or the recovery code was wrong; take the one that is shown now.',
  },
  passkey_wrong: {
    step: 'login',
    advice: 'The passkey was not accepted; use one that was added to this account, or the password.',
  },
  provider_away: {
    step: 'login',
    advice: 'The company’s identity provider could not be reached or used; the tenant’s log says why.',
  },
  provider_turned_away: {
    step: 'login',
    advice: 'The company’s identity provider did not sign the person in; look at the app’s assignments there.',
  },
  provider_answer_refused: {
    step: 'login',
    advice: 'What the company’s identity provider answered could not be verified; the tenant’s log says why.',
  },
  provider_person_refused: {
    step: 'login',
    advice:
      'The person signed in at the company’s provider, and its settings here let nobody like them in; check domains, groups and the default role.',
  },
  login_limited: { step: 'login', advice: 'Too many sign-ins failed; wait a quarter of an hour.' },
} as const satisfies Readonly<Record<string, Rule>>;
