/**
 * Every event the audit log can hold; an event that is not here does not compile.
 * The name says what is true afterwards; the value says who it is about.
 */
export const AUDIT_EVENTS = {
  'tenant.created': 'A tenant signed up.',
  'tenant.suspended': 'An operator suspended the tenant.',
  'tenant.resumed': 'An operator resumed the tenant.',
  'tenant.plan_assigned': 'An operator assigned a plan.',
  'egress_allowance.added': 'An operator allowed a private address.',
  'egress_allowance.removed': 'An operator withdrew a private address.',
  'member.added': 'An account became a member.',
  'member.role_changed': 'A member’s groups at their identity provider gave them another role.',
  'member.removed': 'A member was let in by an identity provider no more; what their agents held has ended.',
  'identity_provider.created': 'An OpenID provider was connected.',
  'identity_provider.changed': 'How an OpenID provider lets people in was changed.',
  'identity_provider.deleted': 'An OpenID provider was disconnected, and its people with it.',
  'api_key.created': 'An API key was created.',
  'api_key.revoked': 'An API key was revoked.',
  'api_key.used': 'An API key was used; recorded at most once a minute for each key.',
  'server.created': 'A server was created.',
  'server.changed': 'How a server behaves was changed.',
  'server.deleted': 'A server was deleted.',
  'secret.written': 'A secret was created or given a new value.',
  'secret.deleted': 'A secret was deleted.',
  'artefact.uploaded': 'A document was uploaded.',
  'artefact.deleted': 'A document was deleted.',
  'release.created': 'A release was built.',
  'release.publish_requested': 'Somebody asked to publish a release.',
  'release.published': 'A release went live.',
  'release.rejected': 'A release failed its checks and did not go live.',
  'release.rolled_back': 'The release before became live again.',
  'login.succeeded': 'A person signed in; who is no member stays anonymous.',
  'login.failed': 'A sign-in failed.',
  'consent.granted': 'A person let a client act for them at a tenant URL.',
  'consent.refused': 'A person refused a client, or may not use this tenant URL.',
  'token.issued': 'An access token was minted for a tenant URL.',
  'token.reuse_detected': 'A code or refresh token was used again, and everything it had given was revoked.',
  'grant.revoked': 'A person ended what an agent held for them at a tenant URL.',
  'management.refused': 'A management request was refused for its credentials or their permissions.',
  'person.erased': 'What the audit log held about a person, apart from an opaque id, became unreadable.',
  'audit.exported': 'Somebody exported the audit log.',
  'call.completed': 'An MCP call ended; its outcome says how.',
  'call.refused': 'An MCP call was refused before it reached a worker.',
} as const;

/** The name of an audit event. */
export type AuditEvent = keyof typeof AUDIT_EVENTS;
