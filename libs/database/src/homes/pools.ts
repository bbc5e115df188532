import type { DedicatedDatabases } from '#libs/config';
import { AppError } from '#libs/errors';
import { Pool, type PoolOptions } from '../connection/pool.js';
import { TenantAway } from './tenant-away.js';

const IDLE_MS = 600_000;
const RETRY_SECONDS = 5;
/** After a failure to open, callers are refused for so long without another try. */
const REFUSED_MS = 1_000;
/** So long a caller waits for a place where as many pools as there may be are in use. */
const PLACE_MS = 5_000;
/** What looks across tenants is in no hurry: one that hangs gives its place back before that. */
const SWEEP_PLACE_MS = 30_000;
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

/** Why a database is away that nothing was asked of. */
class NoPlace extends Error {
  constructor() {
    super('as many pools as WHARF_DEDICATED_POOLS_MAX allows are in use');
  }
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
  /** Those that could not be used when they last were to be. */
  readonly #lost = new Set<string>();
  #closed = false;
  /** Who waits for a place, the first that came first. */
  readonly #waiting = new Set<() => void>();

  constructor(private readonly options: PoolOptions & { readonly dedicated?: DedicatedOptions }) {}

  /** @throws AppError unavailable when the database is not configured, cannot be reached, or too many are in use */
  async use<Result>(name: string, work: (pool: Pool) => Promise<Result>, placeMs = PLACE_MS): Promise<Result> {
    const opened = await this.#take(name, placeMs);
    try {
      const result = await work(await opened.pool);
      this.#lost.delete(name);
      this.#failed.delete(name);
      return result;
    } catch (error) {
      const isAway = error instanceof AppError && error.code === 'unavailable' && !(error instanceof TenantAway);
      if (isAway) this.#lost.add(name);
      throw isAway ? awayError(name, error) : error;
    } finally {
      opened.users -= 1;
      if (opened.users === 0) this.#closeLater(name, opened);
    }
  }

  /** As `use`; one that could not be used just now is refused at once, and a place is waited for longer. @throws AppError unavailable */
  async sweep<Result>(name: string, work: (pool: Pool) => Promise<Result>): Promise<Result> {
    const failed = this.#failed.get(name);
    if (failed !== undefined && performance.now() - failed.at < SWEPT_AGAIN_MS) throw awayError(name, failed.error);
    try {
      return await this.use(name, work, SWEEP_PLACE_MS);
    } catch (error) {
      // That others are in use says nothing of this one.
      if (error instanceof TenantAway && !(error.cause instanceof NoPlace))
        this.#failed.set(name, { at: performance.now(), error });
      throw error;
    }
  }

  /** Runs `work` for each of the databases, as many at once as may be open; gives what each answered, one after another. */
  async inTurn<Result>(names: readonly string[], work: (name: string) => Promise<Result[]>): Promise<Result[]> {
    const results: Result[][] = [];
    const left = names.entries();
    const lane = async (): Promise<void> => {
      for (const [at, name] of left) results[at] = await work(name);
    };
    await Promise.all(Array.from({ length: this.#poolsMax }, lane));
    return results.flat();
  }

  /** Every database that there may be, in use or not. */
  get names(): readonly string[] {
    return [...(this.options.dedicated?.databases.keys() ?? [])];
  }

  /** Databases that could not be used when somebody last tried. */
  get lost(): readonly string[] {
    return [...this.#lost];
  }

  /** Who waits for a place is refused one. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#tellWaiting();
    await Promise.all([...this.#opened].map(([name, opened]) => this.#close(name, opened)));
  }

  get #poolsMax(): number {
    return this.options.dedicated?.poolsMax ?? 0;
  }

  /** A pool with one user more. Where all are in use it waits until one is not, for `placeMs` at most. */
  async #take(name: string, placeMs: number): Promise<Opened> {
    const until = performance.now() + placeMs;
    for (;;) {
      const opened = this.#opened.get(name) ?? this.#open(name);
      if (opened !== undefined) {
        opened.users += 1;
        clearTimeout(opened.idle);
        return opened;
      }
      if (performance.now() >= until) throw awayError(name, new NoPlace());
      await this.#placeOr(until);
    }
  }

  #placeOr(until: number): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, Math.max(0, until - performance.now()));
      this.#waiting.add(go);
    });
  }

  /** Undefined where as many as there may be are in use. */
  #open(name: string): Opened | undefined {
    if (this.#closed) throw awayError(name, new Error('this service is stopping'));
    const url = this.options.dedicated?.databases.get(name);
    if (url === undefined) throw awayError(name, new Error(`WHARF_DEDICATED_DATABASES of this service has no ${name}`));
    const refused = this.#refused.get(name);
    if (refused !== undefined && performance.now() - refused.at < REFUSED_MS) throw awayError(name, refused.error);
    if (!this.#makeRoom()) return undefined;
    const opening = Pool.open({ ...this.options, databaseUrl: url.reveal() });
    const opened: Opened = { pool: opening.catch((error: unknown) => this.#refuse(name, error)), users: 0 };
    this.#opened.set(name, opened);
    return opened;
  }

  #refuse(name: string, error: unknown): never {
    this.#lost.add(name);
    this.#opened.delete(name);
    this.#refused.set(name, { at: performance.now(), error });
    this.#tellWaiting();
    throw awayError(name, error);
  }

  /** Closes the pool that has rested longest where there are as many as there may be. */
  #makeRoom(): boolean {
    if (this.#opened.size < this.#poolsMax) return true;
    const resting = [...this.#opened].find(([, { users }]) => users === 0);
    if (resting !== undefined) void this.#close(...resting);
    return resting !== undefined;
  }

  /** All that wait look again, in the order in which they came: each may want a database that another opens. */
  #tellWaiting(): void {
    for (const go of this.#waiting) go();
  }

  /** One that begins to rest goes to the end of the map: the first there has rested longest. */
  #closeLater(name: string, opened: Opened): void {
    this.#tellWaiting();
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
