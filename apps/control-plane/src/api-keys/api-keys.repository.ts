import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { PageQuery } from '../paging/cursor.js';

/** A key to store. */
export interface NewKeyRow {
  readonly id: string;
  readonly name: string;
  readonly keyHash: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  /** The account that is shown its text; null where nobody knows whose the key is that asked for it. */
  readonly createdBy: string | null;
}

/** A stored key without its hash. */
export interface KeyListRow {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: string[];
  readonly created_at: Date;
  readonly created_by: string | null;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly last_used_at: Date | null;
}

/** Keys that can be used now: all, and those that do not end with an overlap. */
export interface UsableKeys {
  readonly all: number;
  readonly lasting: number;
}

/** Whether a key opens anything, and why not. */
export type KeyState = 'usable' | 'expired' | 'revoked';

const COLUMNS = `id, name, prefix, scopes, created_at, created_by, expires_at, revoked_at, last_used_at`;

/** A tenant's API keys. */
@Injectable()
export class ApiKeysRepository {
  async list(
    tx: Transaction,
    tenantId: string,
    { state, limit, cursor }: PageQuery & { readonly state?: KeyState | undefined },
  ): Promise<KeyListRow[]> {
    return tx.query(
      `select ${COLUMNS} from api_keys where tenant_id = $1 and ($2::uuid is null or id < $2)
         and ($3::text is null or $3 = case when revoked_at is not null then 'revoked'
           when expires_at <= now() then 'expired' else 'usable' end)
       order by id desc limit $4`,
      [tenantId, cursor ?? null, state ?? null, limit],
    );
  }

  async find(tx: Transaction, tenantId: string, id: string): Promise<KeyListRow | undefined> {
    const rows: KeyListRow[] = await tx.query(`select ${COLUMNS} from api_keys where tenant_id = $1 and id = $2`, [
      tenantId,
      id,
    ]);
    return rows[0];
  }

  /**
   * How many keys can be used now, and how many of them have no successor; whatever makes keys of one tenant waits for each
   * other.
   */
  async countUsable(tx: Transaction, tenantId: string): Promise<UsableKeys> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`api-keys:${tenantId}`]);
    const rows: [UsableKeys] = await tx.query(
      `select count(*)::int as all, count(*) filter (where successor_id is null)::int as lasting from api_keys
       where tenant_id = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
      [tenantId],
    );
    return rows[0];
  }

  async insert(tx: Transaction, tenantId: string, key: NewKeyRow): Promise<void> {
    await tx.query(
      `insert into api_keys (tenant_id, id, name, key_hash, prefix, scopes, created_at, expires_at, created_by,
         maker_unknown)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9::uuid is null)`,
      [tenantId, key.id, key.name, key.keyHash, key.prefix, key.scopes, key.createdAt, key.expiresAt, key.createdBy],
    );
  }

  /** A key that opens something now and has no successor, kept from changing until the transaction ends. */
  async lockUsable(tx: Transaction, tenantId: string, id: string): Promise<KeyListRow | undefined> {
    const rows: KeyListRow[] = await tx.query(
      `select ${COLUMNS} from api_keys
       where tenant_id = $1 and id = $2 and revoked_at is null and (expires_at is null or expires_at > now())
         and successor_id is null for update`,
      [tenantId, id],
    );
    return rows[0];
  }

  async exists(tx: Transaction, tenantId: string, id: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(`select from api_keys where tenant_id = $1 and id = $2`, [tenantId, id]);
    return rows.length > 0;
  }

  /** Gives a key its successor, and lets it end in so many seconds, where it would not end sooner. */
  async succeed(
    tx: Transaction,
    tenantId: string,
    { id, successorId, seconds }: { readonly id: string; readonly successorId: string; readonly seconds: number },
  ): Promise<void> {
    await tx.query(
      `update api_keys set successor_id = $4, expires_at = least(expires_at, now() + make_interval(secs => $3))
       where tenant_id = $1 and id = $2`,
      [tenantId, id, seconds, successorId],
    );
  }

  /** Revokes a key; says whether it was there, and whether it was usable until now. */
  async revoke(tx: Transaction, tenantId: string, id: string): Promise<'revoked' | 'revoked before' | 'absent'> {
    const rows: Array<{ before: Date | null }> = await tx.query(
      `select revoked_at as before from api_keys where tenant_id = $1 and id = $2 for update`,
      [tenantId, id],
    );
    if (rows[0] === undefined) return 'absent';
    if (rows[0].before !== null) return 'revoked before';
    await tx.query(`update api_keys set revoked_at = now() where tenant_id = $1 and id = $2`, [tenantId, id]);
    return 'revoked';
  }
}
