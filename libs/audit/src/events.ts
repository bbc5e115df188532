import { z } from 'zod';
import { CALL_EVENTS } from './call-events.js';
import { DRIFT_EVENTS } from './drift-events.js';
import { event, mayBeReduced } from './event-kind.js';
import { DOCUMENT_EVENTS } from './document-events.js';
import { CHOICE_EVENTS } from './choice-events.js';
import { LIFE_CYCLE_EVENTS } from './life-cycle-events.js';
import { OPERATOR_EVENTS } from './operator-events.js';
import { POLICY_EVENTS } from './policy-events.js';
import { PROBE_EVENTS } from './probe-events.js';
import { PROFILE_EVENTS } from './profile-events.js';
import { REGISTRY_EVENTS } from './registry-events.js';
import { ROLLOUT_EVENTS } from './rollout-events.js';
import { UPSTREAM_EVENTS } from './upstream-events.js';

const text = z.string();
const texts = z.array(z.string()).readonly();
const count = z.int().min(0);
/** What every event at the authorization server says: where the person or client was going. */
const visit = { resource: text.optional(), client: text.optional() };
const grant = { grant: z.unknown().optional() };
const factor = { factor: z.enum(['app', 'passkey']) };
/** What became of the keys of somebody who may make none any more. */
const keysSettled = { api_keys_revoked: count.optional(), api_keys_kept: count.optional() };
const admittance = {
  identity_provider: text.optional(),
  by: text.optional(),
  account: text.optional(),
  rule: text.optional(),
};
const providerChoices = {
  name: text.optional(),
  client_id: text.optional(),
  scopes: texts.optional(),
  email_domains: texts.optional(),
  group_claim: text.nullish(),
  group_roles: z
    .array(z.strictObject({ group: text, role: text }))
    .readonly()
    .optional(),
  default_role: text.nullish(),
  just_in_time: z.boolean().optional(),
  accepts_assertions: z.boolean().optional(),
  sign_in_again_hours: count.optional(),
  keys_of_leavers: z.enum(['revoke', 'keep']).optional(),
};
const delivery = { delivery: text };
const invitation = { role: text, groups: texts, email: text };
/**
 * Every event the audit log can hold, with the details that a record of it has; an event that is not here, or a detail
 * that is not in it, does not compile.
 */
export const AUDIT_EVENTS = {
  'tenant.created': event('A tenant signed up.', { slug: text }),
  'tenant.changed': event('Which web pages may call the tenant’s URLs was changed.', { allowed_origins: texts }),
  ...LIFE_CYCLE_EVENTS,
  'installation.restored': event(
    'The installation was restored from a backup: what happened after the backup was made is not in this log.',
    { backup_made_at: text },
  ),
  ...OPERATOR_EVENTS,
  'member.added': event('An account became a member.', { role: text }),
  'member.role_changed': event('A member got another role, from an owner or by their groups at their provider.', {
    role: text,
    role_before: text.nullish(),
    invitations_withdrawn: count.optional(),
    ...keysSettled,
  }),
  'member.groups_changed': event('A member was put into groups or taken out of them.', {
    groups: texts.optional(),
    groups_before: texts.optional(),
    groups_count: count.optional(),
  }),
  'member.removed': event('Somebody stopped being a member; what their agents held has ended.', {
    reason: text.optional(),
    role_before: text,
    grants_ended: count,
    invitations_withdrawn: count.optional(),
    ...keysSettled,
  }),
  'invitation.created': event('Somebody was invited to become a member.', invitation),
  'invitation.withdrawn': event('An invitation was withdrawn.', invitation),
  'invitation.accepted': event('An invitation was accepted.', { role: text }),
  'identity_provider.created': event('An OpenID provider was connected.', { issuer: text, ...providerChoices }),
  'identity_provider.changed': event('How an OpenID provider lets people in was changed.', {
    ...providerChoices,
    client_secret: z.enum(['kept', 'written']),
  }),
  'identity_provider.deleted': event('An OpenID provider was disconnected, and its people with it.', {
    issuer: text,
    members_removed: count,
    ...keysSettled,
  }),
  ...UPSTREAM_EVENTS,
  'api_key.created': event('An API key was created.', {
    name: text.optional(),
    scopes: texts,
    expires_at: text.nullish(),
  }),
  'api_key.rotated': event('An API key got a successor.', { successor: text, overlap_seconds: count }),
  'api_key.revoked': event('An API key was revoked.', {
    reason: z.enum(['maker_left', 'server_deleted']).optional(),
  }),
  'api_key.narrowed': event('An API key lost the scopes of a server that was deleted.', {
    scopes: texts,
    server: text,
  }),
  'api_key.used': event('An API key was used; recorded at most once a minute for each key.', {
    at: z.literal('management').optional(),
    ...mayBeReduced,
  }),
  'client.created': event('An OAuth client was registered.', { kind: text, name: text, auth_method: text }),
  'client.changed': event('An OAuth client was changed.', { changed: texts, enabled: z.boolean() }),
  'client.secret_rotated': event('An OAuth client got a new secret.', { overlap_seconds: count }),
  'client.deleted': event('An OAuth client was deleted, with everything it held.'),
  'server.created': event('A server was created.', { slug: text, name: text }),
  'server.changed': event('A server’s name, or how it behaves, was changed.', {
    name: text.optional(),
    stale_answers: z.boolean().optional(),
    max_age_seconds: count.optional(),
    records_content: z.boolean().optional(),
    writes: z.boolean().optional(),
    asks_for: z.enum(['read', 'write']).optional(),
    tool_groups: z.record(z.string(), texts).optional(),
    exchange_clients: texts.optional(),
    exchange_servers: texts.optional(),
    sse_transport: z.boolean().optional(),
    public_lists: z.boolean().optional(),
    inline_result_bytes: count.nullable().optional(),
    approves_destructive: z.boolean().optional(),
    result_guard: z
      .strictObject({
        max_bytes: count.nullable(),
        personal_data: z.strictObject({ kinds: texts.readonly(), action: text }).nullable(),
      })
      .nullable()
      .optional(),
  }),
  'server.people_changed': event('Who may connect a server was changed.', {
    open_to: text,
    members: texts,
    groups: texts,
  }),
  'server.deleted': event('A server was deleted, and no key, client or agent has a scope of it any more.', {
    slug: text,
    manifests_deleted: count,
    api_keys_narrowed: count.optional(),
    api_keys_revoked: count.optional(),
    clients_narrowed: count.optional(),
    clients_disabled: count.optional(),
    grants_ended: count.optional(),
  }),
  'artefact.uploaded': event('A document was uploaded.', { bytes: count, media_type: text }),
  'artefact.deleted': event('A document was deleted.', { bytes: count }),
  ...DRIFT_EVENTS,
  ...ROLLOUT_EVENTS,
  ...CHOICE_EVENTS,
  ...PROFILE_EVENTS,
  ...POLICY_EVENTS,
  ...REGISTRY_EVENTS,
  ...PROBE_EVENTS,
  'server_major.changed': event('How long an older major version of a server stays reachable was changed.', {
    major: count,
    served_until: text,
  }),
  ...DOCUMENT_EVENTS,
  'login.succeeded': event('A person signed in; who is no member stays anonymous.', {
    ...visit,
    ...admittance,
    methods: texts.optional(),
  }),
  'login.failed': event('A sign-in failed.', {
    ...visit,
    ...admittance,
    email: text.optional(),
    reason: text.optional(),
  }),
  'second_factor.failed': event(
    'A password was right, but the second factor after it was wrong; said to every tenant of the member.',
  ),
  'second_factor.enrolled': event('A member set up an authenticator app or a passkey.', factor),
  'second_factor.removed': event('A member removed an authenticator app or a passkey.', factor),
  'recovery_codes.renewed': event('A member got new recovery codes; the old ones stopped working.'),
  'account.email_verified': event('A member proved that their e-mail address is theirs.'),
  'account.password_changed': event('A member has a new password; their browsers were signed out.', {
    by: z.enum(['mail', 'password']),
  }),
  'consent.granted': event('A person let a client act for them at a tenant URL.', {
    ...visit,
    client_name: text.optional(),
    redirect_uri: text.optional(),
    scopes: texts,
  }),
  'consent.refused': event('A person refused a client, or may not use this tenant URL.', {
    ...visit,
    client_name: text.optional(),
    redirect_uri: text.optional(),
    scopes: texts,
  }),
  'token.issued': event('An access token was minted for a tenant URL.', {
    ...visit,
    token: text,
    scope: text.optional(),
    acting: texts.optional(),
    ...grant,
  }),
  'token.refused': event('A token was refused; its rule says what decided.', { ...visit, ...grant, rule: text }),
  'token.reuse_detected': event('A code or refresh token was used again, and everything it had given was revoked.', {
    ...visit,
    ...grant,
  }),
  'grant.revoked': event('A person ended what an agent held for them at a tenant URL.', {
    ...visit,
    client_name: text.nullish(),
  }),
  'management.refused': event('A management request was refused for its credentials or their permissions.', {
    unrecorded: count.optional(),
  }),
  'person.erased': event('What the audit log held about a person, apart from an opaque id, became unreadable.'),
  'audit.read': event('Somebody read the audit log; recorded at most once a minute for each reader.'),
  'audit.exported': event('Somebody exported the audit log.', { format: text, follow: text }),
  'audit.archive_read': event('Somebody downloaded an archive of the audit log.', { first_leaf: count }),
  'audit.archive_deleted': event('An archive of the audit log was deleted, for its plan keeps it no longer.', {
    first_leaf: count,
    end_leaf: count,
    digest: text,
  }),
  'audit.gap': event('For a while calls could not be recorded, so they were refused; what was lost is counted.', {
    until: text.optional(),
    calls_refused: count.optional(),
    notes_dropped: count.optional(),
    ...mayBeReduced,
  }),
  'webhook.created': event('A webhook was created.', { name: text, host: text, mode: text, events: texts }),
  'webhook.changed': event('A webhook was changed, paused or resumed.', { changed: texts, host: text, state: text }),
  'webhook.secret_rotated': event('A webhook got a new secret.', { overlap_seconds: count }),
  'webhook.deleted': event('A webhook was deleted, with what it was still to be sent.'),
  'webhook.tested': event('Somebody asked for a test delivery to a webhook.', delivery),
  'webhook.delivery_replayed': event('Somebody asked for a delivery to be sent again.', delivery),
  'webhook.paused': event('A webhook was paused because its receiver does not take what it is sent.'),
  ...CALL_EVENTS,
} as const;

/** The name of an audit event. */
export type AuditEvent = keyof typeof AUDIT_EVENTS;

/** What a record of an event says beside what every record says. */
export type DetailsOf<Event extends AuditEvent> = Readonly<z.input<(typeof AUDIT_EVENTS)[Event]['details']>>;
