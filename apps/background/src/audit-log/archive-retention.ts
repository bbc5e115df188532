import { appendAudit } from '#libs/audit';
import { dropObjects } from '#libs/blobs';
import { BatchSweep, type Database, type Transaction } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const EVERY_MS = 60 * 60 * 1_000;
const ARCHIVER = { kind: 'system', id: 'archive-retention' } as const;

interface GoneArchive {
  readonly first_leaf: string;
  readonly end_leaf: string;
  readonly digest: string;
  readonly bytes: number;
  readonly object: string | null;
}

/** Deletes archives of audit logs that neither their plans keep nor what was promised when they were made, looked for every hour; that it did is itself recorded. */
export class ArchiveRetention extends BatchSweep {
  constructor(database: Database, logger: Logger) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: async () => {
        let deleted = 0;
        for (const tenantId of (await database.everywhere(tenantsWithArchives)).flat()) {
          try {
            deleted += await database.asTenant(tenantId, (tx) => deleteOldArchives(tx, tenantId));
          } catch (error) {
            // One tenant's trouble is not another's.
            logger.error({ err: error, tenant_id: tenantId }, 'old archives of an audit log could not be deleted');
          }
        }
        // One round looks at everything; what a round leaves of a tenant, the next hour's takes.
        return Math.min(deleted, 1);
      },
      onSwept: () => logger.info('archives of audit logs deleted, as their plans say'),
      onFailed: (error) => logger.warn({ err: error }, 'old archives of audit logs could not be deleted'),
    });
  }
}

async function tenantsWithArchives(tx: Transaction): Promise<string[]> {
  const rows: Array<{ tenant_id: string }> = await tx.query(
    `select tenant_id from audit_trees where archived > 0 and tenant_id not in (select tenant_id from legal_holds)`,
  );
  return rows.map((row) => row.tenant_id);
}

async function deleteOldArchives(tx: Transaction, tenantId: string): Promise<number> {
  const gone: GoneArchive[] = await tx.query(
    `with deleted as (
       delete from audit_archives a where a.tenant_id = $1 and a.first_leaf in (
         select o.first_leaf from audit_archives o join tenants t on t.id = o.tenant_id join plans p on p.name = t.plan
         where o.tenant_id = $1 and o.created_at < now() - make_interval(days => p.audit_archive_days)
           and (o.kept_until is null or o.kept_until < now())
         order by o.first_leaf limit 100)
       returning a.first_leaf, a.end_leaf, a.digest, a.bytes, a.object)
     select * from deleted order by first_leaf`,
    [tenantId],
  );
  await dropObjects(
    tx,
    tenantId,
    gone.flatMap(({ object: id, digest, bytes }) => (id === null ? [] : [{ id, digest, bytes }])),
  );
  const entries = gone.map(({ first_leaf: first, end_leaf: end, digest }) => ({
    event: 'audit.archive_deleted' as const,
    actor: ARCHIVER,
    target: `tenant:${tenantId}`,
    outcome: 'ok' as const,
    details: { first_leaf: Number(first), end_leaf: Number(end), digest },
  }));
  if (entries.length > 0) await appendAudit(tx, tenantId, entries);
  return gone.length;
}
