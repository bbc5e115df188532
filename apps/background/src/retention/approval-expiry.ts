import { appendAudit } from '#libs/audit';
import { BatchSweep, unlessAway, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const EVERY_MS = 30_000;
const KEEP_DAYS = 30;

const DUE = `
select distinct tenant_id from approvals
where (state in ('pending', 'approved') and expires_at <= now())
  or (state in ('refused', 'used', 'expired') and requested_at < now() - make_interval(days => $2)) limit $1`;
const EXPIRE = `
update approvals set state = 'expired' where (tenant_id, id) in
  (select tenant_id, id from approvals where tenant_id = $1 and state in ('pending', 'approved')
     and expires_at <= now() limit $2 for update skip locked)
returning id, rule, server, tool`;
const FORGET = `
delete from approvals where (tenant_id, id) in
  (select tenant_id, id from approvals where tenant_id = $1 and state in ('refused', 'used', 'expired')
     and requested_at < now() - make_interval(days => $3) limit $2)
returning 1`;

interface Expired {
  readonly id: string;
  readonly rule: string;
  readonly server: string;
  readonly tool: string;
}

/** Ends the wait of calls whose time is over, so that their tenant hears of it, and forgets them thirty days later. */
export class ApprovalExpiry extends BatchSweep {
  constructor(database: Database, logger: Logger) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: async (limit) => {
        const due = await database.everywhere((tx): Promise<Array<{ tenant_id: string }>> =>
          tx.query(DUE, [limit, KEEP_DAYS]),
        );
        let done = 0;
        for (const { tenant_id: tenantId } of due.flat())
          done += (await unlessAway(sweepTenant(database, tenantId, limit))) ?? 0;
        return done;
      },
      onSwept: (swept) => logger.info({ swept }, 'approvals expired or forgotten'),
      onFailed: (error) => logger.warn({ err: error }, 'approvals could not be expired'),
    });
  }
}

function sweepTenant(database: Database, tenantId: string, limit: number): Promise<number> {
  return database.asTenant(tenantId, async (tx) => {
    const [expired]: [Expired[], number] = await tx.query(EXPIRE, [tenantId, limit]);
    const entries = expired.map(({ id, ...details }) => ({
      event: 'approval.expired' as const,
      actor: { kind: 'system' as const, id: 'background' },
      target: `approval:${id}`,
      outcome: 'ok' as const,
      details,
    }));
    await appendAudit(tx, tenantId, entries);
    const [forgotten]: [unknown[], number] = await tx.query(FORGET, [tenantId, limit, KEEP_DAYS]);
    return expired.length + forgotten.length;
  });
}
