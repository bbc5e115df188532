import { appendAudit } from '#libs/audit';
import { unlessAway, type Database } from '#libs/database';
import { findUntoldEnds, noteTold, type UntoldEnd } from './moves.repository.js';

/**
 * Writes into the logs of tenants that a move which was asked for was not made: once for each, wherever the tenant is, and
 * whether it was closed for the move or not. What cannot be told now is left for the next time; returns how many were.
 * Why a move failed may name databases, and is the operators' to know.
 */
export async function tellEnds(
  database: Pick<Database, 'asService' | 'asTenant'>,
  limit: number,
  onFailed: (end: UntoldEnd, error: unknown) => void,
): Promise<number> {
  let told = 0;
  for (const end of await database.asService((tx) => findUntoldEnds(tx, limit))) {
    try {
      if ((await unlessAway(tell(database, end))) === undefined) continue;
      await database.asService((tx) => noteTold(tx, end.id));
      told += 1;
    } catch (error) {
      // One tenant's trouble is not another's.
      onFailed(end, error);
    }
  }
  return told;
}

async function tell(database: Pick<Database, 'asTenant'>, end: UntoldEnd): Promise<'told' | 'gone'> {
  const { id, tenant_id: tenantId, to_database: to, reason, ended_at: at } = end;
  return database.asTenant(tenantId, async (tx) => {
    const rows: unknown[] = await tx.query(`select from tenants where id = $1`, [tenantId]);
    if (rows.length === 0) return 'gone';
    const details = { tier: to === null ? 'common' : 'dedicated', reason };
    const entry = { event: 'tenant.move_abandoned', target: `tenant:${tenantId}`, outcome: 'failed', details } as const;
    await appendAudit(tx, tenantId, [{ ...entry, id, at, actor: { kind: 'system', id: 'tenant-moves' } }]);
    return 'told';
  });
}
