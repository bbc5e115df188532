import { z } from 'zod';
import { event } from './event-kind.js';

const profile = {
  slug: z.string(),
  servers: z.array(z.string()).readonly().nullable(),
  read_only: z.boolean(),
  search: z.boolean(),
  tools: z.int().min(0).optional(),
};

/** The events of a tenant's profiles. */
export const PROFILE_EVENTS = {
  'profile.created': event('A profile was created.', profile),
  'profile.changed': event('A profile was changed; where what it shows is another, its sessions have ended.', profile),
  'profile.deleted': event('A profile was deleted.', profile),
} as const;
