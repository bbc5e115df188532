import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { DeletionRow } from '../tenant-deletion/tenant-deletion.repository.js';

/** A deletion as operators see it, whether its tenant is still there or not. */
export interface OperatedDeletionRow extends DeletionRow {
  readonly tenant_id: string;
  readonly slug: string;
  readonly step: string;
  readonly started_at: Date | null;
  readonly receipt: string | null;
  readonly held: boolean;
}

const DELETIONS = `select d.id, d.state, d.reason, d.requested_by, d.requested_at, d.due_at, d.ended_at, d.tenant_id, d.slug, d.step,
  d.started_at, d.receipt, exists (select from legal_holds h where h.tenant_id = d.tenant_id) as held
  from tenant_deletions d`;

/** Deletions across the platform, as `wharf_operator` may read and change them. */
@Injectable()
export class PlatformDeletionsRepository {
  async list(
    tx: Transaction,
    filter: {
      readonly state?: string | undefined;
      readonly tenant?: string | undefined;
      readonly cursor?: string | undefined;
      readonly limit: number;
    },
  ): Promise<OperatedDeletionRow[]> {
    return tx.query(
      `${DELETIONS} where ($1::text is null or d.state = $1) and ($2::uuid is null or d.id < $2)
         and ($4::text is null or d.slug = lower($4) or d.tenant_id::text = lower($4))
       order by d.id desc limit $3`,
      [filter.state ?? null, filter.cursor ?? null, filter.limit, filter.tenant ?? null],
    );
  }

  async findLast(tx: Transaction, tenantId: string): Promise<OperatedDeletionRow | undefined> {
    const rows: OperatedDeletionRow[] = await tx.query(
      `${DELETIONS} where d.tenant_id = $1 order by d.requested_at desc, d.id desc limit 1`,
      [tenantId],
    );
    return rows[0];
  }

  /** How long a tenant's plan lets it be restored. */
  async graceDaysOf(tx: Transaction, tenantId: string): Promise<number> {
    const rows: Array<{ days: number }> = await tx.query(
      `select p.deletion_grace_days as days from tenants t join plans p on p.name = t.plan where t.id = $1`,
      [tenantId],
    );
    return rows[0]?.days ?? 0;
  }

  async setRegion(tx: Transaction, tenantId: string, region: string | null): Promise<void> {
    await tx.query(`update tenants set home_region = $2 where id = $1`, [tenantId, region]);
  }
}
