import type { DedicatedDatabases } from '#libs/config';
import { AppError } from '#libs/errors';
import { Pool, type PoolOptions } from '../connection/pool.js';
import { TenantAway } from './tenant-away.js';

const IDLE_MS = 600_000;
const RETRY_SECONDS = 5;
/** After a failure to open, callers are refused for so long without another try. */
const REFUSED_MS = 1_000;
/** What looks across tenants goes without a database that failed, for so long: the others' work does not wait for it. */
const SWEPT_AGAIN_MS = 15_000;

interface Opened {
  readonly pool: Promise<Pool>;
  users: number;
  idle?: NodeJS.Timeout;
}

interface Failure {
  readonly at: number;
  readonly error: unknown;
}

/** Which databases there are beside the common one, and how many may be open at once. */
export interface DedicatedOptions {
  readonly databases: DedicatedDatabases;
  readonly poolsMax: number;
  /** Default ten minutes. */
  readonly idleMs?: number;
}

function awayError(name: string, cause: unknown): TenantAway {
  return new TenantAway('The tenant’s database does not answer at the moment. Try again shortly.', {
    database: name,
    retryAfterSeconds: RETRY_SECONDS,
    cause,
  });
}

/** Pools of dedicated databases: opened when first needed, closed after idle minutes, never more than allowed. */
export class DedicatedPools {
  readonly #opened = new Map<string, Opened>();
  readonly #refused = new Map<string, Failure>();
  readonly #failed = new Map<string, Failure>();

  constructor(private readonly options: PoolOptions & { readonly dedicated?: DedicatedOptions }) {}

  /** @throws AppError unavailable when the database is not configured, cannot be reached, or too many are open */
  async use<Result>(name: string, work: (pool: Pool) => Promise<Result>): Promise<Result> {
    const opened = this.#opened.get(name) ?? this.#open(name);
    opened.users += 1;
    clearTimeout(opened.idle);
    try {
      return await work(await opened.pool);
    } catch (error) {
      const isAway = error instanceof AppError && error.code === 'unavailable' && !(error instanceof TenantAway);
      throw isAway ? awayError(name, error) : error;
    } finally {
      opened.users -= 1;
      if (opened.users === 0) this.#closeLater(name, opened);
    }
  }

  /** As `use`; one that could not be used just now is refused at once. @throws AppError unavailable */
  async sweep<Result>(name: string, work: (pool: Pool) => Promise<Result>): Promise<Result> {
    const failed = this.#failed.get(name);
    if (failed !== undefined && performance.now() - failed.at < SWEPT_AGAIN_MS) throw awayError(name, failed.error);
    try {
      const result = await this.use(name, work);
      this.#failed.delete(name);
      return result;
    } catch (error) {
      if (error instanceof TenantAway) this.#failed.set(name, { at: performance.now(), error });
      throw error;
    }
  }

  /** Every database that there may be, in use or not. */
  get names(): readonly string[] {
    return [...(this.options.dedicated?.databases.keys() ?? [])];
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened].map(([name, opened]) => this.#close(name, opened)));
  }

  #open(name: string): Opened {
    const url = this.options.dedicated?.databases.get(name);
    if (url === undefined) throw awayError(name, new Error(`WHARF_DEDICATED_DATABASES of this service has no ${name}`));
    const refused = this.#refused.get(name);
    if (refused !== undefined && performance.now() - refused.at < REFUSED_MS) throw awayError(name, refused.error);
    this.#makeRoom(name);
    const opening = Pool.open({ ...this.options, databaseUrl: url.reveal() });
    const opened: Opened = { pool: opening.catch((error: unknown) => this.#refuse(name, error)), users: 0 };
    this.#opened.set(name, opened);
    return opened;
  }

  #refuse(name: string, error: unknown): never {
    this.#opened.delete(name);
    this.#refused.set(name, { at: performance.now(), error });
    throw awayError(name, error);
  }

  /** Closes the pool that has rested longest where there are as many as there may be. */
  #makeRoom(name: string): void {
    if (this.#opened.size < (this.options.dedicated?.poolsMax ?? 0)) return;
    const resting = [...this.#opened].find(([, { users }]) => users === 0);
    if (resting === undefined)
      throw awayError(name, new Error('as many pools as WHARF_DEDICATED_POOLS_MAX allows are in use'));
    void this.#close(...resting);
  }

  /** One that begins to rest goes to the end of the map: the first there has rested longest. */
  #closeLater(name: string, opened: Opened): void {
    if (this.#opened.get(name) !== opened) return;
    this.#opened.delete(name);
    this.#opened.set(name, opened);
    opened.idle = setTimeout(() => void this.#close(name, opened), this.options.dedicated?.idleMs ?? IDLE_MS);
    opened.idle.unref();
  }

  async #close(name: string, opened: Opened): Promise<void> {
    clearTimeout(opened.idle);
    if (this.#opened.get(name) === opened) this.#opened.delete(name);
    await opened.pool.then((pool) => pool.close()).catch(() => undefined);
  }
}
