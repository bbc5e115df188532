import type { Client } from 'pg';
import type { AuditEntry } from '#libs/audit';
import { newId } from '#libs/database';

/** Under which an installation itself acts; operators have no key for it. */
const PLATFORM = '00000000-0000-7000-8000-000000000000';

/**
 * Says in every tenant's log and in the platform's that what follows comes after a restore, so that the gap between the
 * backup and now is told by the log itself and not only by a checkpoint that somebody kept.
 */
export async function recordRestore(client: Client, madeAt: string): Promise<void> {
  const { rows } = await client.query<{ id: string }>(`select id from tenants order by id`);
  const entry: AuditEntry<'installation.restored'> = {
    event: 'installation.restored',
    actor: { kind: 'system', id: 'restore' },
    target: 'installation:wharf',
    outcome: 'ok',
    details: { backup_made_at: madeAt },
  };
  await client.query(
    `insert into audit_records (tenant_id, id, at, event, actor, target, outcome, details)
     select t.tenant, t.id, now(), $3, $4, $5, $6, $7 from unnest($1::uuid[], $2::uuid[]) as t (tenant, id)`,
    [
      rows.map(({ id }) => id),
      rows.map(() => newId()),
      entry.event,
      entry.actor,
      entry.target,
      entry.outcome,
      entry.details,
    ],
  );
  await client.query(
    `insert into operator_actions (operator_id, action, reason, details)
     select id, 'installation.restore', 'a backup was restored', $2 from operators where id = $1`,
    [PLATFORM, { backup_made_at: madeAt }],
  );
}
