import { Client } from 'pg';
import { until } from '#libs/testing';
import type { AuthWorld } from './auth-world.fixture.js';

/** Rows as another transaction holds them that has not ended yet. */
export class HeldRows {
  private constructor(
    private readonly world: AuthWorld,
    private readonly holder: Client,
  ) {}

  /** Begins a transaction with a statement that locks them. */
  static async hold(world: AuthWorld, statement: string, values: readonly unknown[]): Promise<HeldRows> {
    const holder = new Client({ connectionString: world.store.databaseUrl });
    await holder.connect();
    await holder.query('begin');
    await holder.query(statement, [...values]);
    return new HeldRows(world, holder);
  }

  /** Resolves when so many transactions of this database wait, for these rows or for one another. */
  async untilAwaitedBy(waiters: number): Promise<void> {
    await until(async () => {
      // Not within the holder's transaction, which would see the same activity every time.
      const { rows } = await this.world.owner.query<{ waiting: number }>(
        `select count(distinct l.pid)::integer as waiting
         from pg_locks l join pg_stat_activity a on a.pid = l.pid
         where not l.granted and a.datname = current_database()`,
      );
      return (rows[0]?.waiting ?? 0) >= waiters;
    }, `${waiters} wait for the rows`);
  }

  /** Ends the transaction as if it had gone well. */
  async release(): Promise<void> {
    await this.holder.query('commit');
    await this.holder.end();
  }
}
