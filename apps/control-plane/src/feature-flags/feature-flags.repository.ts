import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { FlagName } from '#libs/flags';

/** What somebody decides about a flag for a tenant. */
export interface FlagDecision {
  readonly flag: FlagName;
  readonly state: 'on' | 'off' | 'default';
  readonly by: 'operator' | 'tenant';
  readonly reason: string | null;
}

/** Decisions about flags for single tenants. */
@Injectable()
export class FeatureFlagsRepository {
  async decide(tx: Transaction, tenantId: string, { flag, state, by, reason }: FlagDecision): Promise<void> {
    if (state === 'default') {
      await tx.query(`delete from tenant_feature_flags where tenant_id = $1 and flag = $2 and decided_by = $3`, [
        tenantId,
        flag,
        by,
      ]);
      return;
    }
    await tx.query(
      `insert into tenant_feature_flags (tenant_id, flag, decided_by, enabled, reason) values ($1, $2, $3, $4, $5)
       on conflict (tenant_id, flag, decided_by) do update set enabled = excluded.enabled, reason = excluded.reason,
         updated_at = now()`,
      [tenantId, flag, by, state === 'on', reason],
    );
  }
}
