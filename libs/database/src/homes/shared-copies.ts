import { Rounds } from '#libs/resilience';
import type { ChangeListener } from '../changes.js';
import type { Database } from '../doors.js';

/** A shared table that tenants' transactions read, of which each dedicated database so has a copy. */
export interface CopiedTable {
  readonly name: string;
  readonly key: string;
  /** Default: every column. */
  readonly columns?: readonly string[];
  /** What becomes of a copy: it stays as it was made, follows the row, or also goes with it. */
  readonly follows: 'never' | 'changes' | 'changes and deletions';
}

/** What operators write, and the control-plane copies. A copied operator is a name: it signs nobody in. */
export const OPERATORS_COPIES: readonly CopiedTable[] = [
  { name: 'plans', key: 'name', follows: 'changes' },
  { name: 'feature_flags', key: 'flag', follows: 'changes' },
  { name: 'maintenance', key: 'singleton', follows: 'changes and deletions' },
  { name: 'region_maintenance', key: 'region', follows: 'changes and deletions' },
  { name: 'operators', key: 'id', columns: ['id', 'name', 'created_at'], follows: 'never' },
];

/** What the background service writes and copies: the keys that checkpoints are proved with. */
export const BACKGROUND_COPIES: readonly CopiedTable[] = [{ name: 'audit_keys', key: 'id', follows: 'never' }];

/** Few rows each: what operators offer, and the platform's public keys. */
const ROWS_MAX = 10_000;
const EVERY_MS = 15_000;
const LOCK = `select pg_advisory_xact_lock(hashtextextended('wharf:shared-copies', 0))`;

/**
 * Makes the copy of one table what the common database has. Who copies holds the others off before it reads, so that
 * nothing older comes after something newer.
 */
export async function copyTable(
  to: (sql: string, values?: unknown[]) => Promise<unknown>,
  common: (sql: string) => Promise<ReadonlyArray<{ rows: unknown; names: readonly string[] }>>,
  table: CopiedTable,
): Promise<void> {
  const { name, key, follows } = table;
  await to(LOCK);
  const [found] = await common(
    `select (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from (select ${table.columns?.join(', ') ?? '*'} from ${name} limit ${ROWS_MAX}) t) as rows,
       (select json_agg(quote_ident(attname) order by attnum) from pg_attribute
        where attrelid = '${name}'::regclass and attnum > 0 and not attisdropped) as names`,
  );
  const columns = table.columns ?? found?.names ?? [];
  const list = columns.join(', ');
  const rows = [JSON.stringify(found?.rows ?? [])];
  const source = `jsonb_populate_recordset(null::${name}, $1::jsonb) r`;
  const same = `r.${key} = t.${key}`;
  if (follows !== 'never')
    await to(
      `update ${name} t set (${list}) = (select ${list} from ${source} where ${same})
       where exists (select from ${source} where ${same}
         and (select to_jsonb(x) from (select ${columns.map((column) => `r.${column}`).join(', ')}) x)
           is distinct from (select to_jsonb(x) from (select ${columns.map((column) => `t.${column}`).join(', ')}) x))`,
      rows,
    );
  await to(
    `insert into ${name} (${list}) select ${list} from ${source} where not exists (select from ${name} t where ${same})`,
    rows,
  );
  if (follows === 'changes and deletions')
    await to(`delete from ${name} t where not exists (select from ${source} where ${same})`, rows);
}

/** Keeps the copies of shared rows in dedicated databases: at every change that is announced, and now and again. */
export class SharedCopies {
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: () => this.copy(),
    onFailed: (error) => this.onFailed(error),
  });
  #listener: ChangeListener | undefined;

  constructor(
    private readonly database: Database,
    private readonly tables: readonly CopiedTable[],
    private readonly onFailed: (error: unknown) => void,
  ) {}

  async start(): Promise<void> {
    if (!this.database.hasDedicated) return;
    this.#rounds.start();
    this.#listener = await this.database.listen('wharf_changes', (payload) => payload === '*' && this.#rounds.ring());
  }

  /** Ends after the copies in hand. */
  async stop(): Promise<void> {
    await this.#listener?.close();
    await this.#rounds.stop();
  }

  /** Copies to each dedicated database in use. One that is away gets its copies later. */
  async copy(): Promise<void> {
    for (const home of await this.database.homes()) {
      if (home === undefined) continue;
      const copied = this.database.asServiceAt(home, async (tx) => {
        for (const table of this.tables)
          await copyTable(
            (sql, values) => tx.query(sql, values),
            (sql) => this.database.asService((shared) => shared.query(sql)),
            table,
          );
      });
      await copied.catch(this.onFailed);
    }
  }
}
