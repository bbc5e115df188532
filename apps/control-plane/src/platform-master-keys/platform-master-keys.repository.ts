import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import { countRootKeyUses, type RootKeyUse } from '#libs/rewrap';

/** A master key as the database knows it: by its id. */
export interface MasterKeyRow {
  readonly id: string;
  readonly created_at: Date;
  readonly rewrap_asked_at: Date | null;
  readonly rewrapped_at: Date | null;
  readonly left_at: Date | null;
}

/** The master keys of the installation, and what is sealed under each. */
@Injectable()
export class PlatformMasterKeysRepository {
  async list(tx: Transaction): Promise<MasterKeyRow[]> {
    return tx.query(
      `select id, created_at, rewrap_asked_at, rewrapped_at, left_at from master_keys order by created_at desc, id`,
    );
  }

  async countUses(tx: Transaction): Promise<RootKeyUse[]> {
    return countRootKeyUses(tx);
  }

  /** Asks the background service to seal everything under this key; what was asked for before is asked for no more. */
  async askForRewrap(tx: Transaction, id: string): Promise<void> {
    await tx.query(
      `update master_keys set rewrap_asked_at = case when id = $1 then now() end, rewrapped_at = null
       where id = $1 or (rewrap_asked_at is not null and rewrapped_at is null)`,
      [id],
    );
  }
}
