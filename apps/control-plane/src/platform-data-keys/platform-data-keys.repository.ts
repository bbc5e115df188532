import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import { countDataKeyUses, type DataKeyUse } from '#libs/rewrap';

/** A data key as operators see it. */
export interface DataKeyRow {
  readonly id: string;
  readonly created_at: Date;
  readonly unused_at: Date | null;
}

/** A tenant's data keys, and what is sealed under each. */
@Injectable()
export class PlatformDataKeysRepository {
  /** The newest first. */
  async list(tx: Transaction, tenantId: string): Promise<DataKeyRow[]> {
    return tx.query(
      `select id, created_at, unused_at from data_keys where tenant_id = $1 order by created_at desc, id desc`,
      [tenantId],
    );
  }

  async countUses(tx: Transaction, tenantId: string): Promise<DataKeyUse[]> {
    return countDataKeyUses(tx, tenantId);
  }
}
