import type { AuditActor, AuditOutcome, EventDetails } from '#libs/audit';
import { newId, type Transaction } from '#libs/database';

/** What a tenant's own log is to say of an order. */
export interface TenantNote {
  readonly tenantId: string;
  readonly entry: NotedEntry;
}

/** An entry whose outcome is told when it is known. */
export type NotedEntry = EventDetails<'tenant.workers_stopped' | 'session.ended'> & {
  readonly actor: AuditActor;
  readonly target: string;
  readonly sourceAddress: string;
  readonly traceId: string;
};

/** A note that is due: its order has ended, or whoever gave it has. */
export interface DueNote extends TenantNote {
  readonly id: string;
  readonly at: Date;
  readonly outcome: AuditOutcome | null;
}

/** How long an order may take before its notes are brought to the logs without its outcome. */
const ORDER_TIME = '5 minutes';

/** Keeps what tenants are told of an order before it is given. */
export async function keepNotes(tx: Transaction, orderId: string, notes: readonly TenantNote[]): Promise<void> {
  if (notes.length === 0) return;
  const rows = notes.map(({ tenantId, entry }) => ({ id: newId(), tenant_id: tenantId, entry }));
  await tx.query(
    `insert into operator_notes (id, tenant_id, order_id, entry, due_at)
     select r.id, r.tenant_id, $1, r.entry, now() + interval '${ORDER_TIME}'
     from jsonb_to_recordset($2::jsonb) as r(id uuid, tenant_id uuid, entry jsonb)`,
    [orderId, JSON.stringify(rows)],
  );
}

/** Says what came of an order to all its notes, which are due with that; returns them. */
export async function settleNotes(tx: Transaction, orderId: string, outcome: AuditOutcome): Promise<DueNote[]> {
  const [rows]: [NoteRow[], number] = await tx.query(
    `update operator_notes set outcome = $2, due_at = now() + interval '1 minute' where order_id = $1
     returning id, tenant_id, at, entry, outcome`,
    [orderId, outcome],
  );
  return rows.map(noteOf);
}

/** Takes notes that are due, `limit` at most; nobody else takes them for a minute, or as long as they have waited, an hour at most. */
export async function claimNotes(tx: Transaction, limit: number): Promise<DueNote[]> {
  const [rows]: [NoteRow[], number] = await tx.query(
    `update operator_notes set due_at = now() + least(greatest(now() - at, interval '1 minute'), interval '1 hour')
     where id in (select id from operator_notes where due_at <= now() order by due_at limit $1 for update skip locked)
     returning id, tenant_id, at, entry, outcome`,
    [limit],
  );
  return rows.map(noteOf);
}

/** Keeps nothing of a note that is in its log. */
export async function forgetNote(tx: Transaction, id: string): Promise<void> {
  await tx.query(`delete from operator_notes where id = $1`, [id]);
}

/** Whether there is such a tenant, wherever it is at home. */
export async function hasTenant(tx: Transaction, tenantId: string): Promise<boolean> {
  const rows: unknown[] = await tx.query(`select from tenants where id = $1`, [tenantId]);
  return rows.length > 0;
}

interface NoteRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly at: Date;
  readonly entry: NotedEntry;
  readonly outcome: AuditOutcome | null;
}

function noteOf({ tenant_id: tenantId, ...row }: NoteRow): DueNote {
  return { ...row, tenantId };
}
