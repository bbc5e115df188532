import { Injectable } from '@nestjs/common';
import { newId, type Transaction } from '#libs/database';

/** A tenant's deletion, as long as it can be seen. */
export interface DeletionRow {
  readonly id: string;
  readonly state: 'waiting' | 'cancelled' | 'deleting' | 'deleted';
  readonly reason: string;
  readonly requested_by: { readonly kind?: string };
  readonly requested_at: Date;
  readonly due_at: Date;
  readonly ended_at: Date | null;
  /** Whether its time has come. */
  readonly is_due: boolean;
}

/** A deletion as it is asked for. */
export interface DeletionRequest {
  readonly reason: string;
  readonly requestedBy: unknown;
  /** Days until it begins; undefined: as the tenant's plan says. */
  readonly graceDays: number | undefined;
}

const COLUMNS = `id, state, reason, requested_by, requested_at, due_at, ended_at, due_at <= now() as is_due`;
/** A legal hold that the tenant may know of. */
const SEEN_HOLD = `select from legal_holds h where h.tenant_id = $1 and h.told`;

/** Deletions of tenants: asked for, seen, and taken back while they wait. */
@Injectable()
export class TenantDeletionRepository {
  /** The newest deletion that was asked for. */
  async findLast(tx: Transaction, tenantId: string): Promise<DeletionRow | undefined> {
    const rows: DeletionRow[] = await tx.query(
      `select ${COLUMNS} from tenant_deletions where tenant_id = $1 order by requested_at desc, id desc limit 1`,
      [tenantId],
    );
    return rows[0];
  }

  /** Closes the tenant and notes when it is deleted; undefined where that is so already. */
  async request(
    tx: Transaction,
    tenantId: string,
    { reason, requestedBy, graceDays }: DeletionRequest,
  ): Promise<DeletionRow | undefined> {
    const rows: DeletionRow[] = await tx.query(
      `insert into tenant_deletions (tenant_id, id, slug, reason, requested_by, due_at, status_before, status_reason_before)
       select t.id, $2, t.slug, $3, $4, now() + make_interval(days => coalesce($5::integer, p.deletion_grace_days)),
         t.status, t.status_reason
       from tenants t join plans p on p.name = t.plan where t.id = $1 and t.deletion_due_at is null
       returning ${COLUMNS}`,
      [tenantId, newId(), reason, JSON.stringify(requestedBy), graceDays ?? null],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    await tx.query(
      `update tenants set status = 'suspended', status_reason = 'to be deleted', deletion_due_at = $2 where id = $1`,
      [tenantId, row.due_at],
    );
    return row;
  }

  /**
   * Takes back a deletion that waits, of anybody's or one that the tenant asked for itself; false where none does. A tenant
   * does so until it is due, so that the answer says nothing of a hold it may not know of; later, only under one that it may.
   */
  async cancel(tx: Transaction, tenantId: string, whose: 'anybody’s' | 'the tenant’s own'): Promise<boolean> {
    const [rows]: [Array<{ status_before: string; status_reason_before: string | null }>, number] = await tx.query(
      `update tenant_deletions set state = 'cancelled', ended_at = now() where tenant_id = $1 and state = 'waiting'
         and ($2 or (requested_by ->> 'kind' is distinct from 'operator' and (due_at > now() or exists (${SEEN_HOLD}))))
       returning status_before, status_reason_before`,
      [tenantId, whose === 'anybody’s'],
    );
    const [row] = rows;
    if (row === undefined) return false;
    await tx.query(`update tenants set status = $2, status_reason = $3, deletion_due_at = null where id = $1`, [
      tenantId,
      row.status_before,
      row.status_reason_before,
    ]);
    return true;
  }

  /** How many deletions were asked for since yesterday at this time. */
  async countOfDay(tx: Transaction, tenantId: string): Promise<number> {
    const rows: Array<{ count: number }> = await tx.query(
      `select count(*)::integer as count from tenant_deletions
       where tenant_id = $1 and requested_at > now() - interval '1 day'`,
      [tenantId],
    );
    return rows[0]?.count ?? 0;
  }

  /** Whether the tenant is under a legal hold that it may know of. */
  async isSeenHeld(tx: Transaction, tenantId: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(SEEN_HOLD, [tenantId]);
    return rows.length > 0;
  }
}
