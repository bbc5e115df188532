import type { Transaction } from './connection/transaction.js';
import type { Pool, Moment } from './connection/pool.js';

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

/**
 * As `entered`, with a transaction of the common database beside it, which begins once the tenant is entered and commits
 * once the tenant's rows are committed: who waits for a database of a tenant's own holds nothing of the common one.
 */
export async function enteredBesideShared<Result>(
  home: Pool,
  common: Pool,
  tenantId: string,
  work: (tx: Transaction, shared: Transaction) => Promise<Result>,
): Promise<Result> {
  const committed = Promise.withResolvers<void>();
  // Heard below, by who waits in the common transaction; where that has ended before, by nobody.
  committed.promise.catch(() => undefined);
  let sharing: Promise<void> | undefined;
  try {
    const result = await entered(home, tenantId, (tx) => {
      const done = Promise.withResolvers<Result>();
      sharing = common.transaction(async (shared) => {
        done.resolve(await work(tx, shared));
        await committed.promise;
      });
      sharing.catch(done.reject);
      return done.promise;
    });
    committed.resolve();
    await sharing;
    return result;
  } catch (error) {
    committed.reject(error);
    // Rolled back before anybody hears of it, so that who tries again meets none of its locks.
    await sharing?.catch(() => undefined);
    throw error;
  }
}
