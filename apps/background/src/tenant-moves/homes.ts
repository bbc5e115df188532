import { setTimeout } from 'node:timers/promises';
import type { Client } from 'pg';
import { CopyRefused } from './copy/copy-refused.js';
import type { Move } from './moves.repository.js';

/** Who still has a transaction open ends within it, or the step is tried again. */
const LOCK_MS = 60_000;
const POLL_MS = 50;

/** Runs `work` in a transaction. */
export async function inTransaction<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/**
 * Says in the common database that a tenant is on its way: nobody enters it from here on.
 * @throws CopyRefused where it is at home elsewhere than the move says
 */
export async function closeHome(
  common: Client,
  { tenant_id: tenantId, from_database: from, to_database: to }: Move,
): Promise<void> {
  const { rowCount } =
    to === null
      ? await common.query(
          `update tenant_homes set state = 'returning', changed_at = now()
           where tenant_id = $1 and database = $2 and state = 'dedicated'`,
          [tenantId, from],
        )
      : await common.query(
          `insert into tenant_homes (tenant_id, database, state) values ($1, $2, 'leaving')
           on conflict (tenant_id) do nothing`,
          [tenantId, to],
        );
  if (rowCount !== 1)
    throw new CopyRefused('The tenant is no longer where it was when the move was asked for. Look, and ask again.');
}

/** Says the same in the dedicated database that a tenant leaves. */
export async function closeDedicated(dedicated: Client, { tenant_id: tenantId }: Move): Promise<void> {
  await dedicated.query(
    `update tenant_homes set state = 'returning', changed_at = now() where tenant_id = $1 and state <> 'returning'`,
    [tenantId],
  );
}

/** Waits for whoever entered a tenant before it was closed: they share the lock that is taken alone here. */
export async function outwaitWriters(source: Client, { tenant_id: tenantId }: Move): Promise<void> {
  await inTransaction(source, async () => {
    await source.query(`set local lock_timeout = ${LOCK_MS}`);
    await source.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [tenantId]);
  });
}

/** Transactions of services, by their virtual ids; those of exports and moves look at tenants of their own alone. */
const SWEEPS = `select l.virtualtransaction as id from pg_locks l join pg_stat_activity a on a.pid = l.pid
  where l.locktype = 'virtualxid' and l.pid <> pg_backend_pid() and a.datname = current_database()
    and a.usename like 'wharf\\_%' and a.usename not in ('wharf_life_cycle', 'wharf_mover')`;

/**
 * Waits for what looked across tenants before one was closed: it shares no lock, and a statement that is still running
 * may write what it saw then. @throws Error where one takes too long; the step is tried again
 */
export async function outwaitSweeps(source: Client, signal: AbortSignal): Promise<void> {
  const running = async (): Promise<string[]> => (await source.query<{ id: string }>(SWEEPS)).rows.map(({ id }) => id);
  const deadline = performance.now() + LOCK_MS;
  for (let left = await running(); left.length > 0;) {
    if (performance.now() > deadline) throw new Error('a transaction of a service has been open for a minute');
    await setTimeout(POLL_MS, undefined, { signal });
    const now = new Set(await running());
    left = left.filter((id) => now.has(id));
  }
}

/** Whether a dedicated database is a tenant's home already. */
export async function isSettled(dedicated: Client, tenantId: string): Promise<boolean> {
  const { rowCount } = await dedicated.query(`select from tenant_homes where tenant_id = $1 and state = 'dedicated'`, [
    tenantId,
  ]);
  return rowCount === 1;
}

/** Makes a dedicated database a tenant's home, or no longer. The common one, which is said last, decides who enters. */
export async function settleDedicated(
  dedicated: Client,
  tenantId: string,
  database: string,
  home: 'dedicated' | 'common',
): Promise<void> {
  if (home === 'common') await dedicated.query(`delete from tenant_homes where tenant_id = $1`, [tenantId]);
  else
    await dedicated.query(
      `insert into tenant_homes (tenant_id, database, state) values ($1, $2, 'dedicated')
       on conflict (tenant_id) do update set state = 'dedicated', database = excluded.database, changed_at = now()`,
      [tenantId, database],
    );
}

/** Says in the common database where a tenant is at home; it is open from here on. */
export async function settleCommon(common: Client, tenantId: string, home: 'dedicated' | 'common'): Promise<void> {
  if (home === 'common') await common.query(`delete from tenant_homes where tenant_id = $1`, [tenantId]);
  else
    await common.query(`update tenant_homes set state = 'dedicated', changed_at = now() where tenant_id = $1`, [
      tenantId,
    ]);
}

/** What a database is called, null for the common one, and the migrations that it has had. */
export async function schemaOf(client: Client): Promise<{ database: string | null; migrations: string }> {
  const { rows } = await client.query<{ database: string | null; migrations: string }>(
    `select (select database from installation) as database, string_agg(name, ',' order by name) as migrations
     from migrations`,
  );
  return rows[0] ?? { database: null, migrations: '' };
}
