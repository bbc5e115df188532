import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A key that the configuration named. */
export interface EmergencyKeyRow {
  readonly id: string;
  readonly name: string;
  readonly created_at: Date;
  readonly shut_at: Date | null;
  readonly last_act_at: Date | null;
}

/** Operators with a key in place of an account; nobody has the platform's own. */
const KEYS = `operators o where o.key_hash ~ '^[0-9a-f]{64}$'`;

/** Emergency keys, of which the database holds the hashes. */
@Injectable()
export class EmergencyKeysRepository {
  list(tx: Transaction, limit: number): Promise<EmergencyKeyRow[]> {
    return tx.query(
      `select o.id, o.name, o.created_at, o.key_shut_at as shut_at,
         (select max(a.at) from operator_actions a where a.operator_id = o.id) as last_act_at
       from ${KEYS} order by o.key_shut_at is not null, o.created_at desc, o.id desc limit $1`,
      [limit],
    );
  }

  /** Shuts a key; false where there is none, or it was. */
  async shut(tx: Transaction, id: string): Promise<boolean> {
    const [, count]: [unknown, number] = await tx.query(
      `update operators set key_shut_at = now() where id in (select o.id from ${KEYS} and o.id = $1 and o.key_shut_at is null)`,
      [id],
    );
    return count === 1;
  }
}
