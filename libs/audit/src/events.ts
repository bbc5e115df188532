import { z } from 'zod';

/** What the catalogue says of an event. */
export interface EventKind<Shape extends z.ZodRawShape = z.ZodRawShape> {
  /** What is true afterwards. */
  readonly means: string;
  /** Grows when a member of its details is taken away or means something else; new optional members leave it. */
  readonly version: number;
  readonly details: z.ZodObject<Shape, z.core.$strict>;
}

function event(means: string): EventKind<Record<never, never>>;
function event<Shape extends z.ZodRawShape>(means: string, details: Shape, version?: number): EventKind<Shape>;
function event(means: string, details: z.ZodRawShape = {}, version = 1): EventKind {
  return { means, version, details: z.strictObject(details) };
}

const text = z.string();
const texts = z.array(z.string()).readonly();
const count = z.int().min(0);
const ms = z.number().min(0);
const reason = { reason: text };
/** What every event at the authorization server says: where the person or client was going. */
const visit = { resource: text.optional(), client: text.optional() };
const grant = { grant: z.unknown().optional() };
const factor = { factor: z.enum(['app', 'passkey']) };
const allowance = { host: text.optional(), range: text.nullish(), port: count, ...reason };
const publishing = { server_id: text, job_id: text, reason: text.optional() };
const release = z.strictObject({ id: text, digest: text });
/** How a call was answered, as far as there was an answer. */
const answer = {
  duration_ms: ms.optional(),
  http_status: count.optional(),
  rpc_code: z.int().optional(),
  rule: text.optional(),
};

/**
 * Every event the audit log can hold, with the details that a record of it has; an event that is not here, or a detail
 * that is not in it, does not compile.
 */
export const AUDIT_EVENTS = {
  'tenant.created': event('A tenant signed up.', { slug: text }),
  'tenant.suspended': event('An operator suspended the tenant.', reason),
  'tenant.resumed': event('An operator resumed the tenant.', reason),
  'tenant.plan_assigned': event('An operator assigned a plan.', { plan: text, ...reason }),
  'egress_allowance.added': event('An operator allowed a private address.', allowance),
  'egress_allowance.removed': event('An operator withdrew a private address.', allowance),
  'member.added': event('An account became a member.', { role: text }),
  'api_key.created': event('An API key was created.', {
    name: text.optional(),
    scopes: texts,
    expires_at: text.nullish(),
  }),
  'api_key.revoked': event('An API key was revoked.'),
  'api_key.used': event('An API key was used; recorded at most once a minute for each key.', {
    at: z.literal('management').optional(),
  }),
  'client.created': event('An OAuth client was registered.', { kind: text, name: text, auth_method: text }),
  'client.changed': event('An OAuth client was changed.', { changed: texts, enabled: z.boolean() }),
  'client.secret_rotated': event('An OAuth client got a new secret.', { overlap_seconds: count }),
  'client.deleted': event('An OAuth client was deleted, with everything it held.'),
  'server.created': event('A server was created.', { slug: text, name: text }),
  'server.changed': event('How a server behaves was changed.', {
    stale_answers: z.boolean(),
    max_age_seconds: count,
    records_content: z.boolean().optional(),
  }),
  'server.deleted': event('A server was deleted.', { slug: text, manifests_deleted: count }),
  'secret.written': event('A secret was created or given a new value.', { version: count }),
  'secret.deleted': event('A secret was deleted.'),
  'artefact.uploaded': event('A document was uploaded.', { bytes: count, media_type: text }),
  'artefact.deleted': event('A document was deleted.', { bytes: count }),
  'release.created': event('A release was built.', { server: text, number: count, digest: text, tools: count }),
  'release.publish_requested': event('Somebody asked to publish a release.', { server: text, number: count }),
  'release.published': event('A release went live.', publishing),
  'release.rejected': event('A release failed its checks and did not go live.', publishing),
  'release.rolled_back': event('The release before became live again.', { server: text, from: text.nullable() }),
  'login.succeeded': event('A person signed in; who is no member stays anonymous.', { ...visit, methods: texts }),
  'login.failed': event('A sign-in failed.', { ...visit, account: text.optional(), email: text.optional() }),
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
    ...grant,
  }),
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
  'audit.gap': event('For a while calls could not be recorded, so they were refused; what was lost is counted.', {
    until: text.optional(),
    calls_refused: count.optional(),
    notes_dropped: count.optional(),
  }),
  'call.completed': event(
    'An MCP call ended; its outcome says how.',
    {
      method: text,
      name: text.optional(),
      server: text.optional(),
      era: z.enum(['modern', 'legacy']),
      release: release.optional(),
      releases: z.array(release).readonly().optional(),
      message_digest: text.optional(),
      bytes_in: count.optional(),
      bytes_out: count.optional(),
      queue_ms: ms.optional(),
      worker_ms: ms.optional(),
      upstream_ms: ms.optional(),
      arguments: z.unknown().optional(),
      result: z.unknown().optional(),
      ...answer,
    },
    2,
  ),
  'call.refused': event(
    'An MCP call was refused before it reached a worker.',
    { server: text.optional(), method: text.optional(), name: text.optional(), ...answer },
    2,
  ),
} as const;

/** The name of an audit event. */
export type AuditEvent = keyof typeof AUDIT_EVENTS;

/** What a record of an event says beside what every record says. */
export type DetailsOf<Event extends AuditEvent> = Readonly<z.input<(typeof AUDIT_EVENTS)[Event]['details']>>;
