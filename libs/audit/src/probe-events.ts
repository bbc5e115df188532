import { z } from 'zod';
import { event } from './event-kind.js';

const text = z.string();
const probe = { server: text, name: text, tool: text, allow_effects: z.boolean(), enabled: z.boolean() };
const probed = { name: text, tool: text, release: text, reason: text.optional() };

/** The events of a server's probes. */
export const PROBE_EVENTS = {
  'probe.created': event('A probe was created.', probe),
  'probe.changed': event('A probe was changed.', probe),
  'probe.deleted': event('A probe was deleted, with its results.', probe),
  'probe.failed': event('A probe of the live release failed that had not failed before.', probed),
  'probe.recovered': event('A probe of the live release passes again.', probed),
  'probe.diverged': event(
    'The live release answered a probe otherwise than the time before; told where it begins.',
    probed,
  ),
} as const;
