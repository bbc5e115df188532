import { z } from 'zod';
import { event } from './event-kind.js';

/** The events of a tenant's entries in the registry. */
export const REGISTRY_EVENTS = {
  'registry_entry.put': event('What the registry shows of a server was written, and who sees it.', {
    slug: z.string(),
    visibility: z.enum(['tenant', 'everyone']),
  }),
  'registry_entry.deleted': event('A server was taken out of the registry.', { slug: z.string() }),
} as const;
