import { newId, unlessAway, type Database, type Transaction } from '#libs/database';

const WITHIN_MS = 10 * 60 * 1_000;
/** Rows of one tenant: of visitors who proved who they are, and of all others. */
const ROWS_MAX = 1_000;
const KEPT = `interval '24 hours'`;

/** A step as it is stored; the same step of the same visitor within ten minutes is one row. */
export interface StoredStep {
  readonly serverSlug: string;
  readonly resource: string;
  readonly visitor: string;
  /** The visitor's address alone. */
  readonly place: string;
  readonly thread: string;
  readonly step: string;
  readonly rule: string;
  /** Whether somebody had signed in, or a credential was valid: strangers cannot push these out. */
  readonly proven: boolean;
  readonly program: string;
  readonly client: string | undefined;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly times: number;
}

/** The start of the ten minutes that a time belongs to. */
export function windowOf(ms: number): number {
  return ms - (ms % WITHIN_MS);
}

/** Writes a tenant's steps and keeps the newest of them. */
export async function storeSteps(database: Database, tenantId: string, steps: readonly StoredStep[]): Promise<void> {
  await database.asTenant(tenantId, async (tx) => {
    for (const step of steps) await storeStep(tx, tenantId, step);
    await tx.query(
      `delete from connect_steps where tenant_id = $1 and id in (
         select id from (select id, row_number() over (partition by proven order by last_at desc) as place
           from connect_steps where tenant_id = $1) ranked where place > $2)`,
      [tenantId, ROWS_MAX],
    );
  });
}

/** Deletes steps older than a day, at most `limit`; returns how many. */
export async function deleteOldSteps(database: Database, limit: number): Promise<number> {
  const found = await database.everywhere((tx): Promise<Array<{ tenantId: string; ids: string[] }>> =>
    tx.query(
      `select tenant_id as "tenantId", array_agg(id) as ids from
         (select tenant_id, id from connect_steps where last_at < now() - ${KEPT} order by last_at limit $1) due
       group by tenant_id`,
      [limit],
    ),
  );
  const rows = found.flat();
  for (const { tenantId, ids } of rows) {
    const deleted = database.asTenant(tenantId, (tx) =>
      tx.query(`delete from connect_steps where tenant_id = $1 and id = any($2)`, [tenantId, ids]),
    );
    await unlessAway(deleted);
  }
  return rows.reduce((sum, { ids }) => sum + ids.length, 0);
}

/** A row of `connect_steps` as it is read. */
export interface StepRow {
  readonly id: string;
  readonly resource: string;
  readonly visitor: string;
  readonly place: string;
  readonly thread: string;
  readonly step: string;
  readonly rule: string;
  readonly program: string;
  readonly client: string | null;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly times: number;
}

/** A tenant's steps of the last day at one server and at the tenant's own URL, oldest first. */
export async function listSteps(tx: Transaction, tenantId: string, serverSlug: string): Promise<StepRow[]> {
  return tx.query(
    `select id, resource, visitor, place, thread, step, rule, program, client, first_at, last_at, times
     from connect_steps where tenant_id = $1 and server_slug in ($2, '') and last_at > now() - ${KEPT}
     order by first_at, id limit ${2 * ROWS_MAX}`,
    [tenantId, serverSlug],
  );
}

async function storeStep(tx: Transaction, tenantId: string, step: StoredStep): Promise<void> {
  await tx.query(
    `insert into connect_steps (tenant_id, id, server_slug, resource, visitor, place, thread, step, rule, proven,
       program, client, within, first_at, last_at, times)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, to_timestamp($13 / 1000.0),
       to_timestamp($14 / 1000.0), to_timestamp($15 / 1000.0), $16)
     on conflict (tenant_id, server_slug, visitor, thread, step, rule, within) do update
       set last_at = greatest(connect_steps.last_at, excluded.last_at),
         times = least(connect_steps.times + excluded.times, 1000000),
         proven = connect_steps.proven or excluded.proven,
         client = coalesce(connect_steps.client, excluded.client)`,
    [
      tenantId,
      newId(),
      step.serverSlug,
      step.resource,
      step.visitor,
      step.place,
      step.thread,
      step.step,
      step.rule,
      step.proven,
      step.program,
      step.client ?? null,
      windowOf(step.firstMs),
      step.firstMs,
      step.lastMs,
      step.times,
    ],
  );
}
