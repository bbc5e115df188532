import type { DataSource } from 'typeorm';

const MONTHS_AHEAD = 12;

/** The smallest UUIDv7 of a time (RFC 9562, section 5.7). */
function firstId(at: Date): string {
  const hex = at.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/**
 * Provides the audit log with a partition for each month, from this one to a year ahead, each time the schema is looked
 * after. Where that is not done for longer, records go to the partition for all else, and nothing is lost.
 */
export async function provideAuditPartitions(source: Pick<DataSource, 'query'>, now: Date): Promise<void> {
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead += 1) {
    const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead));
    const to = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1));
    const name = `audit_log_${from.toISOString().slice(0, 7).replace('-', '_')}`;
    const found: unknown[] = await source.query(`select 1 where to_regclass($1) is not null`, [name]);
    if (found.length > 0) continue;
    await source.query(
      `create table ${name} partition of audit_log for values from ('${firstId(from)}') to ('${firstId(to)}')`,
    );
  }
}
