import { z } from 'zod';
import { AppError } from '#libs/errors';
import type { DeletionRow } from './tenant-deletion.repository.js';

/** A deletion of a tenant, as the API shows it. */
export const deletionSchema = z
  .strictObject({
    id: z.uuid(),
    state: z.enum(['waiting', 'cancelled', 'deleting', 'deleted']).meta({
      description:
        'Only one that is `waiting` can be taken back. From `due_at` on a tenant sees `deleting`, whether the first row is gone ' +
        'yet or not; how long it takes is not said.',
    }),
    reason: z.string(),
    requested_by: z.enum(['tenant', 'operator']).meta({
      description:
        'What an operator asked for, only an operator takes back; what the tenant asked for, its owners do too.',
    }),
    contact: z.string().nullable().meta({
      description: 'Whom to write to about a deletion that an operator asked for, where the installation says so.',
    }),
    requested_at: z.iso.datetime(),
    due_at: z.iso.datetime().meta({ description: 'When everything the tenant owns begins to be deleted.' }),
    ended_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'TenantDeletion' });

/** A row as the API shows it. */
export function deletionView(row: DeletionRow, contact: string | undefined): z.input<typeof deletionSchema> {
  const requestedBy = row.requested_by.kind === 'operator' ? 'operator' : 'tenant';
  return {
    id: row.id,
    state: row.state,
    reason: row.reason,
    requested_by: requestedBy,
    contact: requestedBy === 'operator' ? (contact ?? null) : null,
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

/** The error for an owner who would take back what an operator asked for. */
export function operatorsToRestore(contact: string | undefined): AppError {
  const whom = contact === undefined ? 'whoever runs this installation' : contact;
  return new AppError('forbidden', {
    message: `An operator asked for this deletion, and only an operator takes it back. Write to ${whom} before it is due.`,
  });
}

/** The error for taking back what does not wait. */
export function nothingToRestore(): AppError {
  return new AppError('conflict', {
    message: 'There is no deletion that waits: none was asked for, or it has begun and cannot be taken back.',
  });
}
