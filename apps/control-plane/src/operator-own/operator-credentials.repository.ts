import { Injectable } from '@nestjs/common';
import { newId, type Transaction } from '#libs/database';
import type { OperatorRole } from '../access/operator-roles.js';
import { mintOperatorSecret } from '../credentials/operator-credentials.js';

/** A session or key to be kept. */
export interface NewCredential {
  readonly id: string;
  readonly operatorId: string;
  readonly kind: 'session' | 'key';
  readonly name: string;
  readonly role: OperatorRole;
  readonly prefix: string;
  readonly hash: string;
  readonly expiresAt: Date;
}

/** A key as it is listed. */
export interface OperatorKeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: OperatorRole;
  readonly prefix: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly last_used_at: Date | null;
}

/** A new session or key: the text that is shown once, and the row without it. */
export function mintCredential(of: Omit<NewCredential, 'id' | 'prefix' | 'hash'>): {
  readonly text: string;
  readonly row: NewCredential;
} {
  const { text, hash, prefix } = mintOperatorSecret(of.kind);
  return { text, row: { ...of, id: newId(), hash, prefix } };
}

const KEY = `id, name, role, prefix, created_at, expires_at, last_used_at`;

/** Sessions and keys of operators' accounts. */
@Injectable()
export class OperatorCredentialsRepository {
  async insert(tx: Transaction, row: NewCredential): Promise<void> {
    await tx.query(
      `insert into operator_credentials (id, operator_id, kind, name, role, prefix, secret_hash, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [row.id, row.operatorId, row.kind, row.name, row.role, row.prefix, row.hash, row.expiresAt],
    );
  }

  /** Keys that open something now, newest first. */
  async listKeys(tx: Transaction, operatorId: string, limit: number): Promise<OperatorKeyRow[]> {
    return tx.query(
      `select ${KEY} from operator_credentials
       where operator_id = $1 and kind = 'key' and revoked_at is null and expires_at > now()
       order by created_at desc limit $2`,
      [operatorId, limit],
    );
  }

  async findKey(tx: Transaction, id: string): Promise<OperatorKeyRow | undefined> {
    const rows: OperatorKeyRow[] = await tx.query(`select ${KEY} from operator_credentials where id = $1`, [id]);
    return rows[0];
  }

  /** Ends one of an operator's sessions or keys; false where it is none of theirs, or has ended. */
  async revoke(tx: Transaction, operatorId: string, kind: 'session' | 'key', id: string): Promise<boolean> {
    const [, count] = await tx.query(
      `update operator_credentials set revoked_at = now()
       where operator_id = $1 and kind = $2 and id = $3 and revoked_at is null`,
      [operatorId, kind, id],
    );
    return count === 1;
  }

  /** Ends an operator's sessions but one. */
  async endOtherSessions(tx: Transaction, operatorId: string, but: string): Promise<void> {
    await tx.query(
      `update operator_credentials set revoked_at = now()
       where operator_id = $1 and kind = 'session' and id <> $2 and revoked_at is null`,
      [operatorId, but],
    );
  }

  /** Forgets what ended more than a month ago; whoever has a new one makes room for it. */
  async forgetEnded(tx: Transaction, operatorId: string): Promise<void> {
    await tx.query(
      `delete from operator_credentials
       where operator_id = $1 and least(expires_at, revoked_at) < now() - interval '30 days'`,
      [operatorId],
    );
  }
}
