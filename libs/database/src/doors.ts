import { entered, enteredBesideShared, type TenantWork } from './entering.js';
import { ActNote, recordAct, recorded, type ActWork, type OperatorAct } from './operator-acts.js';
import { listenForChanges, type ChangeListener, type NotifyChannel } from './changes.js';
import { listenEverywhere, type HomesListener } from './homes/listeners.js';
import { Directory, movingError, type Home } from './homes/directory.js';
import { DedicatedPools, type DedicatedOptions } from './homes/pools.js';
import { SchemaCheck } from './homes/schema-check.js';
import { SharedPlaces } from './homes/shared-places.js';
import { copyTenantRow } from './homes/tenant-copy.js';
import { Pool, POOL_SIZE, type PoolOptions } from './connection/pool.js';
import { inTime } from './connection/in-time.js';
import { startError } from './connection/start-error.js';
import { isAwayFromHome } from './connection/sql-errors.js';
import type { Transaction } from './connection/transaction.js';

/** How to reach the databases as one role. */
export interface DatabaseOptions extends PoolOptions {
  /** The databases of tenants' own; without it, there is the common one alone. */
  readonly dedicated?: DedicatedOptions;
  /** Hears of a dedicated database that a sweep went without. */
  readonly onAway?: (database: string, error: unknown) => void;
}

type Work<Result> = (tx: Transaction) => Promise<Result>;

/** What was asked of a directory is good enough for a sweep for so long. */
const SWEEP_AGE_MS = 2_000;

/**
 * The only way to tenants' rows, in the common database or in one of a tenant's own. Every method runs `work` in one
 * transaction: commit when it returns, roll back when it throws. Never wait for the network inside `work`.
 * @throws AppError unavailable when a database cannot be used, and while a tenant is moved between two
 */
export class Database {
  readonly #directory: Directory;
  readonly #dedicated: DedicatedPools;
  readonly #schema: SchemaCheck;
  readonly #places: SharedPlaces;
  readonly #listeners: HomesListener[] = [];

  private constructor(
    private readonly common: Pool,
    private readonly options: DatabaseOptions,
  ) {
    this.#directory = new Directory((work) => common.transaction(work));
    this.#dedicated = new DedicatedPools(options);
    this.#places = new SharedPlaces(options.poolSize ?? POOL_SIZE);
    this.#schema = new SchemaCheck({
      common: (work) => this.asService(work),
      names: this.#dedicated.names,
      at: (name) => (work) => this.asServiceAt(name, work),
      lost: () => [...this.#dedicated.lost, ...this.#listeners.flatMap(({ lost }) => lost)],
    });
  }

  /** Connects as one role; throws when the database cannot be reached. @throws ConfigError for another's master key */
  static async connect(options: DatabaseOptions): Promise<Database> {
    try {
      const database = new Database(await inTime(() => Pool.open(options)), options);
      if (database.hasDedicated) await database.#directory.refresh();
      return database;
    } catch (error) {
      throw startError(error, options.databaseUrl);
    }
  }

  /** Runs `work` seeing and changing one tenant's rows only, each of its statements for `statementTimeoutMs` at most. */
  async asTenant<Result>(tenantId: string, work: Work<Result>, options: TenantWork = {}): Promise<Result> {
    return this.#atHome(tenantId, (pool) => entered(pool, tenantId, work, options));
  }

  /**
   * Runs `work` without a tenant in the common database: shared tables by grant, no tenant's rows except where a policy
   * names this role, and then only those of tenants that are at home there.
   */
  async asService<Result>(work: Work<Result>): Promise<Result> {
    return this.common.transaction(work);
  }

  /**
   * Runs `work` as `asService` does, once for each database in use, all at once; gives what each answered, the common one
   * first. A dedicated database that cannot be used is left out, which `onAway` hears of.
   */
  async everywhere<Result>(work: Work<Result>): Promise<Result[]> {
    const [common, dedicated] = await Promise.all([this.asService(work), this.#inEachDedicated(work)]);
    return [common, ...dedicated];
  }

  /** The databases in use: the common one, which has no name, and after it those of tenants' own, as of `ageMs` ago at most. */
  async homes(ageMs = SWEEP_AGE_MS): Promise<readonly Home[]> {
    if (!this.hasDedicated) return [undefined];
    await this.#directory.refresh(ageMs);
    return [undefined, ...this.#directory.inUse()];
  }

  /** Runs `work` as `asService` does, in one of the databases in use. @throws TenantAway */
  async asServiceAt<Result>(home: Home, work: Work<Result>): Promise<Result> {
    return home === undefined ? this.asService(work) : this.#dedicated.sweep(home, (pool) => pool.transaction(work));
  }

  /** Whether tenants may have databases of their own at all. */
  get hasDedicated(): boolean {
    return (this.options.dedicated?.databases.size ?? 0) > 0;
  }

  /**
   * As `asTenant`, with a transaction on shared rows beside it: the same one where the tenant is at home in the common
   * database. Where it is not, it begins last, so that a database of a tenant's own that hangs holds none of the common
   * one's connections before the tenant is entered, and few afterwards (`SharedPlaces`), and commits last: what it has locked stays so until the tenant's rows are committed.
   */
  async asTenantWithShared<Result>(
    tenantId: string,
    work: (tx: Transaction, shared: Transaction) => Promise<Result>,
  ): Promise<Result> {
    return this.#atHome(tenantId, (pool, home) =>
      home === undefined
        ? entered(pool, tenantId, (tx) => work(tx, tx))
        : this.#places.use(home, () => enteredBesideShared(pool, this.common, tenantId, work)),
    );
  }

  /**
   * Runs `work` as an operator and writes the act, with what came of it, to the platform's audit in the same transaction. Where
   * the act is upon a tenant, `work` runs where that tenant is at home; the act is written, in the common database, before it commits.
   * `beside` is done in the common database after `work`, in the transaction that writes the act: neither is without the other.
   * Only a Database connected as `wharf_operator` has the grants.
   */
  async asOperator<Result>(
    act: OperatorAct,
    work: ActWork<Result>,
    beside: Work<void> = () => Promise.resolve(),
  ): Promise<Result> {
    const { tenantId } = act;
    const inCommon: ActWork<Result> = async (tx, note) => {
      const result = await work(tx, note);
      await beside(tx);
      return result;
    };
    if (tenantId === undefined) return this.asOperatorInCommon(act, inCommon);
    return this.#atHome(tenantId, async (pool, home) => {
      const done = await pool.transaction(async (tx) => {
        await tx.query(`select app_stay_home($1)`, [tenantId]);
        if (pool === this.common) return recorded(tx, act, inCommon);
        const note = new ActNote();
        const result = await work(tx, note);
        await this.common.transaction(async (shared) => {
          await beside(shared);
          await recordAct(shared, act, note);
        });
        return result;
      });
      if (home !== undefined) await this.#places.use(home, () => copyTenantRow(tenantId, pool, this.common));
      return done;
    });
  }

  /** As `asOperator`, for what looks across tenants: once for each database in use, as `everywhere` does. */
  async asOperatorEverywhere<Result>(act: OperatorAct, work: Work<Result>): Promise<Result[]> {
    const common = await this.asOperatorInCommon(act, work);
    return [common, ...(await this.#inEachDedicated(work))];
  }

  /** As `asOperator`, in the common database wherever the act's tenant is at home. */
  async asOperatorInCommon<Result>(act: OperatorAct, work: ActWork<Result>): Promise<Result> {
    return this.common.transaction((tx) => recorded(tx, act, work));
  }

  /**
   * Takes what this role may change of a tenant's own row over into the common database, by whose copy the tenant is
   * found; call it after that row was changed. Nothing where the tenant is at home there.
   */
  async showTenant(tenantId: string): Promise<void> {
    await this.#atHome(tenantId, async (pool, home) => {
      if (home !== undefined) await this.#places.use(home, () => copyTenantRow(tenantId, pool, this.common));
    });
  }

  /**
   * Hears of committed changes in each database in use; reconnects by itself. A database that comes into use is heard
   * within seconds, which begins with `*`, as every (re)connection does. Connected is who hears them all.
   */
  async listen(channel: NotifyChannel, onChange: (payload: string) => void): Promise<ChangeListener> {
    const common = await inTime(() => listenForChanges({ ...this.options, channel, onChange }));
    const databases = this.options.dedicated?.databases;
    if (databases === undefined || !this.hasDedicated) return common;
    const listener = listenEverywhere(common, {
      inUse: async () => (await this.homes()).flatMap((home) => home ?? []),
      open: async (name) => {
        const url = databases.get(name);
        if (url === undefined) throw new Error(`WHARF_DEDICATED_DATABASES of this service has no ${name}`);
        return listenForChanges({ ...this.options, databaseUrl: url.reveal(), channel, onChange });
      },
      onAway: (name, error) => this.options.onAway?.(name, error),
    });
    this.#listeners.push(listener);
    return listener;
  }

  /**
   * For readiness: `ok`, or a warning that names dedicated databases that do not answer, whose tenants alone go without.
   * @throws Error that names a dedicated database without the common one's schema
   */
  async dedicatedState(): Promise<string> {
    const away = await this.#schema.read();
    return away.length === 0 ? 'ok' : `warning: dedicated databases do not answer: ${away.join(', ')}`;
  }

  /** Version of the server as PostgreSQL counts it, for example 180004. */
  async serverVersion(): Promise<number> {
    return this.common.serverVersion();
  }

  async close(): Promise<void> {
    await Promise.all([this.common.close(), this.#dedicated.close()]);
  }

  async #inEachDedicated<Result>(work: Work<Result>): Promise<Result[]> {
    const names = (await this.homes()).filter((home) => home !== undefined);
    return this.#dedicated.inTurn(names, async (name): Promise<Result[]> => {
      try {
        return [await this.asServiceAt(name, work)];
      } catch (error) {
        // Whatever is wrong with it is its tenants' trouble alone: a disk that is full, a schema from before.
        this.options.onAway?.(name, error);
        return [];
      }
    });
  }

  /** Goes where the tenant is at home by what is remembered; where it is turned away, it asks anew and goes once more. */
  async #atHome<Result>(tenantId: string, go: (pool: Pool, home: Home) => Promise<Result>): Promise<Result> {
    try {
      return await this.#goHome(tenantId, go);
    } catch (error) {
      if (!isAwayFromHome(error)) throw error;
    }
    await this.#directory.refresh();
    try {
      return await this.#goHome(tenantId, go);
    } catch (error) {
      throw isAwayFromHome(error) ? movingError() : error;
    }
  }

  async #goHome<Result>(tenantId: string, go: (pool: Pool, home: Home) => Promise<Result>): Promise<Result> {
    const home = await this.#directory.homeOf(tenantId);
    return home === undefined ? go(this.common, home) : this.#dedicated.use(home, (pool) => go(pool, home));
  }
}
