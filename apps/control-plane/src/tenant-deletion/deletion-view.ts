import { z } from 'zod';
import { AppError } from '#libs/errors';
import type { DeletionRow } from './tenant-deletion.repository.js';

/** A deletion of a tenant, as the API shows it. */
export const deletionSchema = z
  .strictObject({
    id: z.uuid(),
    state: z.enum(['waiting', 'cancelled', 'deleting', 'deleted']).meta({
      description: 'Only one that is `waiting` can be taken back.',
    }),
    reason: z.string(),
    requested_at: z.iso.datetime(),
    due_at: z.iso.datetime().meta({ description: 'When everything the tenant owns begins to be deleted.' }),
    ended_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'TenantDeletion' });

/** A row as the API shows it. */
export function deletionView(row: DeletionRow): z.input<typeof deletionSchema> {
  return {
    id: row.id,
    state: row.state,
    reason: row.reason,
    requested_at: row.requested_at.toISOString(),
    due_at: row.due_at.toISOString(),
    ended_at: row.ended_at?.toISOString() ?? null,
  };
}

/** The error for a deletion that is asked for twice. */
export function alreadyLeaving(): AppError {
  return new AppError('conflict', {
    message: 'This tenant is to be deleted already. Look at its deletion, or restore it.',
  });
}

/** The error for taking back what does not wait. */
export function nothingToRestore(): AppError {
  return new AppError('conflict', {
    message: 'There is no deletion that waits: none was asked for, or it has begun and cannot be taken back.',
  });
}
