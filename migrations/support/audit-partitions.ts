import type { DataSource } from 'typeorm';
import { firstIdAt } from '#libs/database';

const MONTHS_AHEAD = 12;

/**
 * Provides the audit log with a partition for each month, from that of `since` to a year after `now`, each time the
 * schema is looked after. Where that is not done for longer, records go to the partition for all else, and nothing is lost.
 */
export async function provideAuditPartitions(source: Pick<DataSource, 'query'>, since: Date, now: Date): Promise<void> {
  const last = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + MONTHS_AHEAD);
  let from = new Date(Date.UTC(since.getUTCFullYear(), since.getUTCMonth()));
  for (; from.getTime() <= last; from = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1))) {
    const to = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1));
    const name = `audit_log_${from.toISOString().slice(0, 7).replace('-', '_')}`;
    const found: unknown[] = await source.query(`select 1 where to_regclass($1) is not null`, [name]);
    if (found.length > 0) continue;
    await source.query(
      `create table ${name} partition of audit_log for values from ('${firstIdAt(from)}') to ('${firstIdAt(to)}')`,
    );
  }
  await guardPartitions(source);
  await leaveStatisticsOut(source);
}

/** Triggers of the whole log do not hear what is done to one of its partitions by its own name, so each has the same. */
async function guardPartitions(source: Pick<DataSource, 'query'>): Promise<void> {
  const open: Array<{ name: string }> = await source.query(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'audit_log'::regclass
       and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'audit_partition_kept')`,
  );
  for (const { name } of open) {
    await source.query(
      `create or replace trigger audit_partition_unchangeable before update or truncate on "${name}"
         for each statement execute function refuse_change()`,
    );
    await source.query(
      `create trigger audit_partition_kept after delete on "${name}" referencing old table as gone
         for each statement execute function refuse_unarchived()`,
    );
  }
}

/** Columns that nothing is found by; `analyze` would read and sort 30,000 of each again and again while a month is filled. */
const NOT_LOOKED_FOR = ['actor', 'details', 'personal', 'source_address', 'trace_id'];

async function leaveStatisticsOut(source: Pick<DataSource, 'query'>): Promise<void> {
  const kept: Array<{ name: string; columns: string[] }> = await source.query(
    `select c.relname as name, array_agg(a.attname::text) as columns
     from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_attribute a on a.attrelid = c.oid
     where i.inhparent = 'audit_log'::regclass and a.attname = any($1) and a.attstattarget is distinct from 0
     group by c.relname`,
    [NOT_LOOKED_FOR],
  );
  for (const { name, columns } of kept) {
    const each = columns.map((column) => `alter column "${column}" set statistics 0`);
    await source.query(`alter table "${name}" ${each.join(', ')}`);
  }
}
