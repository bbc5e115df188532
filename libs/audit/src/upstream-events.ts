import { z } from 'zod';
import { event } from './event-kind.js';

const text = z.string();
const texts = z.array(text).readonly();
const count = z.int().min(0);
const reason = { reason: text };
const connector = { connector: text, issuer: text };

/** What happens to what upstreams are reached with: the tenant's secrets, and people's own logins. */
export const UPSTREAM_EVENTS = {
  'secret.written': event('A secret was created or given a new value, or that of an earlier version.', {
    version: count,
    restored_from: count.optional(),
  }),
  'secret.version_deleted': event('An earlier version of a secret was deleted.', { version: count }),
  'secret.deleted': event('A secret was deleted.'),
  'breaker.opened': event(
    'An upstream kept failing, and calls of a release are kept away from it for a while at one worker-runtime.',
    { origin: text, release: text.optional(), last_error: text.optional(), retry_at: text },
  ),
  'breaker.closed': event('An upstream that had kept failing has answered again.', {
    origin: text,
    release: text.optional(),
  }),
  'connector.written': event('Where people log in at an upstream was set up or changed.', {
    ...connector,
    origins: texts,
    scopes: texts,
    client: text,
  }),
  'connector.deleted': event('A connector was deleted, and what people held there is revoked.', {
    ...connector,
    connections: count,
  }),
  'connection.made': event('A person logged in at an upstream.', { ...connector, scope: text.optional() }),
  'connection.failed': event('A login at an upstream did not come about.', { ...connector, ...reason }),
  'connection.ended': event('A person’s login at an upstream was ended here.', connector),
  'connection.taken_back': event('An upstream took back a person’s login.', connector),
  'connection.revoked': event('What a person held at an upstream was revoked there, or could not be.', {
    client: text,
    issuer: text,
    ...reason,
  }),
} as const;
