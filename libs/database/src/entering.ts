import type { Transaction } from './connection/transaction.js';
import type { Pool, Moment } from './connection/pool.js';

/** Who an operator is and why they act; stored with every operator transaction. */
export interface OperatorAct {
  readonly operatorId: string;
  /** The operation's name, for example `tenants.suspend`. */
  readonly action: string;
  readonly reason: string;
  readonly tenantId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** How `asTenant` runs its work. */
export interface TenantWork {
  readonly statementTimeoutMs?: number | undefined;
  readonly moment?: Moment;
}

/** Runs `work` as the tenant in one database: to enter takes one statement. It is refused (WH001) where the tenant is not at home. */
export function entered<Result>(
  pool: Pool,
  tenantId: string,
  work: (tx: Transaction) => Promise<Result>,
  { statementTimeoutMs, moment }: TenantWork = {},
): Promise<Result> {
  return pool.transaction(async (tx) => {
    if (statementTimeoutMs === undefined) await tx.query(`select app_enter_tenant($1)`, [tenantId]);
    else await tx.query(`select app_enter_tenant($1, $2)`, [tenantId, String(statementTimeoutMs)]);
    return work(tx);
  }, moment);
}

/** Writes what an operator does to the platform's audit. */
export async function recordAct(tx: Transaction, act: OperatorAct): Promise<void> {
  await tx.query(
    `insert into operator_actions (operator_id, action, reason, tenant_id, details) values ($1, $2, $3, $4, $5)`,
    [act.operatorId, act.action, act.reason, act.tenantId ?? null, JSON.stringify(act.details ?? {})],
  );
}
