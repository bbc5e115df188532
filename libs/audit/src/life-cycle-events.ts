import { z } from 'zod';
import { event } from './event-kind.js';

const text = z.string();

/** What happens to a tenant as a whole. */
export const LIFE_CYCLE_EVENTS = {
  'tenant.deletion_requested': event('The tenant is to be deleted; until then it refuses everything.', {
    due_at: text,
    reason: text,
  }),
  'tenant.restored': event('The tenant is not to be deleted any more.', { reason: text.optional() }),
  'tenant.held': event(
    'An operator put the tenant under a legal hold: until it is lifted, nothing of the tenant is forgotten, erased or deleted.',
    { hold: text.optional(), reason: text },
  ),
  'tenant.released': event('An operator lifted a legal hold of the tenant; another one may keep what there is.', {
    hold: text.optional(),
    reason: text,
  }),
  'tenant.move_requested': event('An operator asked for the tenant’s rows to be moved to another database.', {
    tier: text,
    reason: text,
  }),
  'tenant.move_abandoned': event('The tenant stayed where it was: the move that was asked for was not made.', {
    tier: text,
    reason: text,
  }),
  'tenant.moved': event('The tenant’s rows were moved to another database; meanwhile nobody could work with it.', {
    tier: text,
    closed_seconds: z.number(),
    reason: text,
    unaddressed: z.array(text).optional(),
  }),
  'tenant.region_assigned': event('An operator decided which region alone serves the tenant.', {
    region: text.nullable(),
    reason: text,
  }),
  'tenant.export_requested': event('Somebody asked for an archive of the whole tenant.', {
    export: text,
    secrets: text,
    reason: text.optional(),
  }),
  'tenant.exported': event('An archive of the whole tenant was made.', { export: text, digest: text, bytes: z.int() }),
  'tenant.export_downloaded': event('Somebody downloaded an archive of the whole tenant.', {
    export: text,
    reason: text.optional(),
  }),
  'tenant.imported': event(
    'The tenant came from another installation; its log there is kept apart, with the proofs that it had.',
    { source: text, export: text, made_at: text },
  ),
} as const;
