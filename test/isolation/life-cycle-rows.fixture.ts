import { newId } from '#libs/database';
import { A as a, DIGEST as digest } from './row-ids.fixture.js';

const EXPORT = newId();

/** A valid row of tenant A in the tables of its life cycle. */
export const LIFE_CYCLE_ROWS: Record<string, Record<string, unknown>> = {
  legal_holds: { tenant_id: a, id: newId(), reason: 'canary-a', held_by: newId() },
  tenant_deletions: {
    tenant_id: a,
    id: newId(),
    slug: 'canary-a',
    reason: 'canary-a',
    requested_by: '{}',
    due_at: new Date(0),
    status_before: 'active',
  },
  tenant_exports: { tenant_id: a, id: EXPORT, secrets: 'left_out', requested_by: '{"canary":"canary-a"}' },
  tenant_export_parts: { tenant_id: a, export_id: EXPORT, number: 0, digest, bytes: 1, content: Buffer.from('a') },
  imported_audit_files: { tenant_id: a, path: 'audit/canary-a', number: 0, content: Buffer.from('a') },
};
