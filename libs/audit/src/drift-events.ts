import { z } from 'zod';
import { event } from './event-kind.js';

const text = z.string();
const texts = z.array(z.string()).readonly();
/** What an upstream lists that was not approved, by the names that agents would know it by. */
const found = {
  server: text,
  base: text,
  release: text.optional(),
  effect: text,
  added: texts,
  removed: texts,
  changed: texts,
  /** The canonical hashes of changed definitions, approved and listed now. */
  hashes: z.array(z.strictObject({ tool: text, approved: text, listed: text })).readonly(),
};
const decided = { server: text, base: text, release: text, reason: text, rollout: text.optional() };

/** What happens where upstream servers list other definitions than those that were approved. */
export const DRIFT_EVENTS = {
  'drift.found': event('An upstream server lists other definitions than the live release approved.', found),
  'drift.withdrawn': event('An upstream server lists again what was approved; its candidate waits no more.', {
    server: text,
    base: text,
  }),
  'drift.approved': event('A candidate release that drift led to was approved, and its rollout began.', decided),
  'drift.refused': event('A candidate release that drift led to was refused.', {
    ...decided,
    release: text.optional(),
  }),
  'drift_policy.changed': event('It was said what is done where a server’s upstreams change.', { policy: text }),
};
