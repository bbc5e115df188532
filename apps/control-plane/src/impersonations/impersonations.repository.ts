import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** An operator's look at a tenant through its own API. */
export interface ImpersonationRow {
  readonly id: string;
  readonly operator_id: string;
  /** Of the operator's account when it was begun; null: begun with an emergency key. */
  readonly operator_standing: number | null;
  readonly operator_name: string;
  readonly reason: string;
  readonly state: 'open' | 'ended';
  readonly uses: number;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly last_used_at: Date | null;
}

/** What of an operator is shown to tenants. */
interface OperatorName {
  readonly id: string;
  readonly name: string;
  readonly created_at: Date;
}

const SELECT = `select i.id, i.operator_id, i.operator_standing, o.name as operator_name, i.reason, i.uses, i.created_at, i.expires_at, i.last_used_at,
    case when i.revoked_at is null and i.expires_at > now() then 'open' else 'ended' end as state
  from impersonations i join operators o on o.id = i.operator_id`;

/** Impersonations of one tenant, whose the transaction is. */
@Injectable()
export class ImpersonationsRepository {
  list(
    tx: Transaction,
    tenantId: string,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<ImpersonationRow[]> {
    return tx.query(
      `${SELECT} where i.tenant_id = $1 and ($2::uuid is null or i.id < $2) order by i.id desc limit $3`,
      [tenantId, page.cursor ?? null, page.limit],
    );
  }

  async insert(
    tx: Transaction,
    tenantId: string,
    row: {
      id: string;
      operatorId: string;
      standing: number | null;
      reason: string;
      tokenHash: string;
      minutes: number;
    },
  ): Promise<ImpersonationRow | undefined> {
    await tx.query(
      `insert into impersonations (tenant_id, id, operator_id, reason, token_hash, expires_at, operator_standing)
       values ($1, $2, $3, $4, $5, now() + make_interval(mins => $6), $7)`,
      [tenantId, row.id, row.operatorId, row.reason, row.tokenHash, row.minutes, row.standing],
    );
    const rows: ImpersonationRow[] = await tx.query(`${SELECT} where i.tenant_id = $1 and i.id = $2`, [
      tenantId,
      row.id,
    ]);
    return rows[0];
  }

  /** The operator as tenants' databases know it: a name that signs nobody in. */
  async findOperator(common: Transaction, id: string): Promise<OperatorName | undefined> {
    const rows: OperatorName[] = await common.query(`select id, name, created_at from operators where id = $1`, [id]);
    return rows[0];
  }

  /** Has the transaction's database know the operator, which the copies of shared rows bring to it only in a while. */
  async putOperator(tx: Transaction, { id, name, created_at: createdAt }: OperatorName): Promise<void> {
    await tx.query(
      `insert into operators (id, name, created_at) select $1, $2, $3 where not exists (select from operators where id = $1)
       on conflict do nothing`,
      [id, name, createdAt],
    );
  }

  /** What operators' accounts stand at, by their ids; null: an emergency key that is open. Whoever is left out may nothing. */
  async standings(common: Transaction, operators: readonly string[]): Promise<ReadonlyMap<string, number | null>> {
    const rows: Array<{ id: string; standing: number | null }> = await common.query(
      `select o.id, a.standing from operators o left join operator_accounts a on a.operator_id = o.id
       where o.id = any($1) and case when a.operator_id is null then o.key_shut_at is null
         else a.disabled_at is null and a.enrolled_at is not null and a.role <> 'support' end`,
      [operators],
    );
    return new Map(rows.map(({ id, standing }) => [id, standing]));
  }

  /** Ends one; false where there is none, or it has ended. */
  async end(tx: Transaction, tenantId: string, id: string): Promise<boolean> {
    const [, count] = await tx.query(
      `update impersonations set revoked_at = now()
       where tenant_id = $1 and id = $2 and revoked_at is null and expires_at > now()`,
      [tenantId, id],
    );
    return count === 1;
  }
}
