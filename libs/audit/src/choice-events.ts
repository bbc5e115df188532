import { z } from 'zod';
import { event } from './event-kind.js';

const text = z.string();
const count = z.int().min(0);

/** What is decided about features, and about the environments of servers. */
export const CHOICE_EVENTS = {
  'feature_flag.decided': event('An operator decided whether a feature is on for the tenant.', {
    state: text,
    reason: text,
  }),
  'feature_flag.chosen': event('The tenant chose whether a feature is on.', { state: text }),
  'environment.created': event('An environment of a server was made.', {
    slug: text,
    environment: text,
    production: text,
  }),
  'environment.changed': event('What holds in an environment beside the plan was changed.', {
    environment: text,
    calls_per_minute: count.nullable(),
    concurrent_calls: count.nullable(),
    audit_mode: text.nullable(),
    egress_hosts: z.array(text).nullable(),
  }),
  'release.promoted': event('A release was taken over from another environment of its server.', {
    server: text,
    digest: text,
    from: text,
    promoted_release: text,
  }),
};
