import { SIGN_IN_RULES, type Rule } from './sign-in-rules.js';
import type { Step } from './steps.js';

/** Every rule at which an agent can be refused on its way, and the sentence that helps whoever supports it. */
export const RULES = {
  origin_refused: {
    step: 'challenge',
    advice:
      'A web page called this URL from an Origin that is not allowed here; add it to the tenant’s allowed_origins (PATCH /v1/tenant), or use an agent that calls from its own server.',
  },
  credential_in_query: {
    step: 'connect',
    advice: 'The agent put its credential into the URL; send it in the Authorization header, and replace it.',
  },
  two_credentials: {
    step: 'connect',
    advice: 'The agent sent both Authorization and X-API-Key; configure one of them only.',
  },
  token_expired: {
    step: 'connect',
    advice: 'The agent sent a token that has ended; it must use its refresh token, or connect again.',
  },
  token_wrong_audience: {
    step: 'connect',
    advice: 'The token was made for another URL; connect the agent to exactly this URL so that it asks for it.',
  },
  token_invalid: {
    step: 'connect',
    advice: 'The token is no access token of this platform; remove the connection in the agent and connect again.',
  },
  token_unproved: {
    step: 'connect',
    advice: 'The token is bound to a key; the agent must send it as DPoP, with a fresh proof for each request.',
  },
  access_ended: {
    step: 'connect',
    advice: 'The access was ended by the person or an administrator; connect again from the agent.',
  },
  api_key_unknown: {
    step: 'connect',
    advice: 'The API key is not one of this tenant, has expired or was revoked; create a new one and configure it.',
  },
  scope_missing: {
    step: 'connect',
    advice: 'The credential lacks the scope that is needed; connect again and allow it, or use a key that has it.',
  },
  accept_missing: {
    step: 'connect',
    advice: 'The agent must send "Accept: application/json, text/event-stream"; correct its HTTP transport.',
  },
  content_type_wrong: {
    step: 'connect',
    advice: 'The agent must send "Content-Type: application/json"; correct its HTTP transport.',
  },
  version_unsupported: {
    step: 'connect',
    advice: 'The agent speaks a protocol version that is not served; update the agent.',
  },
  header_mismatch: {
    step: 'connect',
    advice:
      'The MCP-Protocol-Version, Mcp-Method or Mcp-Name header is missing or differs from the body; update the agent.',
  },
  session_missing: {
    step: 'connect',
    advice: 'The agent sent a message before initialize, or without its Mcp-Session-Id; update the agent.',
  },
  session_unknown: {
    step: 'connect',
    advice: 'The session has ended or is not this agent’s; it must initialize a new one.',
  },
  message_invalid: {
    step: 'connect',
    advice: 'The request is no valid MCP message; check that the agent talks MCP over Streamable HTTP to this URL.',
  },
  tenant_suspended: {
    step: 'connect',
    advice:
      'The tenant is suspended, and the operator of the platform can resume it; or it is to be deleted, and an owner can keep it.',
  },
  calls_limited: { step: 'connect', advice: 'A rate or concurrency limit was reached; wait, then try again.' },
  server_failed: {
    step: 'connect',
    advice: 'The server did not answer; check that a release is published and how its upstreams are doing.',
  },
  platform_failed: { step: 'connect', advice: 'The platform could not answer; try again, then ask its operator.' },
  registration_redirect_uri: {
    step: 'registration',
    advice:
      'A redirect URI cannot be registered; it must be https, http on a loopback address, or a scheme of the app’s own.',
  },
  registration_invalid: {
    step: 'registration',
    advice: 'The registration’s metadata is not valid; its maker must follow the error_description of the answer.',
  },
  registration_limited: {
    step: 'registration',
    advice: 'Too many clients were registered from this address; wait an hour, or let the agent keep its registration.',
  },
  ...SIGN_IN_RULES,
  no_access: {
    step: 'consent',
    advice: 'The account that signed in may not use this URL; an owner or administrator can make it a member.',
  },
  consent_refused: {
    step: 'consent',
    advice: 'The person refused; connect again and press Allow where that was a mistake.',
  },
  assertion_refused: {
    step: 'token',
    advice: 'The identity assertion was refused; the tenant’s log and the answer’s error_description say why.',
  },
  device_code_expired: {
    step: 'token',
    advice: 'Nobody entered and allowed the device’s code within ten minutes; start again on the device.',
  },
  code_invalid: {
    step: 'token',
    advice: 'The code is unknown, was used before, or is older than a minute; the agent must redeem it once, at once.',
  },
  verifier_wrong: {
    step: 'token',
    advice: 'The code_verifier is missing or not the one of the code_challenge; the agent must send its own.',
  },
  redirect_uri_differs: {
    step: 'token',
    advice: 'The redirect_uri of the token request differs from the authorization request’s; the agent must repeat it.',
  },
  client_mismatch: {
    step: 'token',
    advice:
      'The code or refresh token was given to another client; remove the connection in the agent and add it again.',
  },
  client_refused: {
    step: 'token',
    advice: 'The client is unknown or its secret is wrong; remove the connection in the agent and add it again.',
  },
  token_resource_wrong: {
    step: 'token',
    advice:
      'The token request names another resource than was allowed, or none; it must repeat the one of the authorization.',
  },
  refresh_ended: {
    step: 'token',
    advice: 'The refresh token is unknown, has ended, was revoked, or was replaced; connect again from the agent.',
  },
  token_limited: {
    step: 'token',
    advice: 'Too many requests with wrong client credentials came from this address; wait a quarter of an hour.',
  },
  grant_type_unsupported: {
    step: 'token',
    advice: 'The agent used a grant_type that is not served; it must use one of grant_types_supported of the metadata.',
  },
  scope_refused: {
    step: 'token',
    advice: 'The agent asked for more than was allowed; it must ask for less, or send its person to consent again.',
  },
  exchange_refused: {
    step: 'token',
    advice: 'The token exchange was refused; the answer’s error_description says which of its conditions is not met.',
  },
  assertion_unreadable: {
    step: 'token',
    advice: 'The client’s assertion is missing or has the wrong type; it must send client_assertion and its type.',
  },
  token_failed: {
    step: 'token',
    advice: 'The platform could not answer the token request; try again, then ask its operator.',
  },
  token_refused: {
    step: 'token',
    advice: 'The token request is not valid; its maker must follow the error_description of the answer.',
  },
} as const satisfies Readonly<Record<string, Rule>>;

/** The name of a rule at which an attempt stopped. */
export type RuleId = keyof typeof RULES;

/** What to do when an agent was let on at a step and then did nothing more. */
export const SILENCE: Readonly<Record<Step, string>> = {
  challenge: 'The agent was asked to sign in and did not look up how; check that it supports MCP authorization.',
  resource_metadata: 'The agent read who signs people in and did not go there; check that it can reach that address.',
  server_metadata: 'The agent read how to sign in and went no further; check its log.',
  registration: 'The agent registered and opened no browser; look for a sign-in window or link that it waits with.',
  authorize: 'The sign-in page was opened and nobody finished it; open it again from the agent.',
  login: 'Somebody signed in and did not answer whether the agent may; open the page again from the agent.',
  consent: 'The person allowed it and the agent never fetched its token; check that its redirect address answers.',
  token: 'The agent got its token and did not come back with it; restart the agent, or check its log.',
  connect: 'The agent connected and did not ask for the tools; check its log.',
  list: 'The agent is connected.',
};

/** What to do about a rule, in one sentence. */
export function adviceOf(rule: string): string {
  // A row may hold a rule of a newer release than the reader's.
  return rule in RULES
    ? RULES[rule as RuleId].advice
    : 'This release does not know the rule; look it up in the documentation.';
}
