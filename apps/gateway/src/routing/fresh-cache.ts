import { LRUCache } from 'lru-cache';
import { isGivenUp, isTimeout } from '#libs/database';
import { AppError } from '#libs/errors';
import { errorOf } from '../edge/error-of.js';

/** What belongs to a tenant and is forgotten when that tenant's rows change. */
export interface TenantOwned {
  readonly tenantId: string;
}

/** How long and how much to remember. */
export interface FreshCacheOptions {
  readonly entriesMax: number;
  /** Whether changes are heard of now. */
  readonly hearing: () => boolean;
}

const TRUSTED_MS = 60_000;
/** While changes are not heard of, what is remembered is looked up again this soon. */
const UNHEARD_MS = 2_000;
/** While the database is away, what was fresh when it went is used for so long. */
export const AWAY_MS = 5 * 60_000;
const KEPT_MS = TRUSTED_MS + AWAY_MS;
/** How long a caller waits for the database before what is remembered is used, and for how long nobody waits after that. */
const WAIT_MS = 500;
const REST_MS = 1_000;
const ABSENT_MS = 1_000;
const ABSENT_MAX = 10_000;

interface Remembered<Value> {
  readonly value: Value;
  /** From `performance.now()`. */
  readonly loadedMs: number;
}

interface Loading<Value> {
  readonly result: Promise<Value | undefined>;
  /** Tenants that changed meanwhile; `*` for all. */
  readonly changed: Set<string>;
}

/**
 * Rows of tenants, remembered until the database tells of a change. Callers that miss together load once; what
 * changed while it was loaded is used for those who waited for it and not kept. While the database is away, what is
 * remembered goes on being used for five minutes; a gateway that is cut off alone hears of a change that much later.
 */
export class FreshCache<Value extends TenantOwned> {
  readonly #entries: LRUCache<string, Remembered<Value>>;
  readonly #absent = new LRUCache<string, true>({ max: ABSENT_MAX, ttl: ABSENT_MS });
  readonly #keysOfTenant = new Map<string, Set<string>>();
  readonly #loading = new Map<string, Loading<Value>>();
  readonly #unfinished = new Set<Loading<Value>>();
  #restUntilMs = 0;

  constructor(private readonly options: FreshCacheOptions) {
    this.#entries = new LRUCache({
      max: options.entriesMax,
      dispose: ({ value }, key) => this.#unlink(value.tenantId, key),
    });
  }

  /** The value of a key, loaded where it is not known; undefined where `load` finds none. */
  async get(key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined> {
    const known = this.peek(key);
    if (known !== undefined) return known;
    if (this.#absent.has(key)) return undefined;
    const remembered = this.#youngerThan(KEPT_MS, key);
    if (remembered !== undefined && performance.now() < this.#restUntilMs) return remembered;
    const { result } = this.#loading.get(key) ?? this.#load(key, load);
    return remembered === undefined ? result : this.#unlessAway(key, result);
  }

  /** What is loaded or, where the database does not answer, what is remembered and was not forgotten meanwhile. */
  async #unlessAway(key: string, loading: Promise<Value | undefined>): Promise<Value | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, WAIT_MS, 'late');
    });
    try {
      const loaded = await Promise.race([loading, late]);
      if (loaded !== 'late') return loaded;
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'unavailable')) throw error;
    } finally {
      clearTimeout(timer);
    }
    this.#restUntilMs = performance.now() + REST_MS;
    return this.#youngerThan(KEPT_MS, key) ?? loading;
  }

  /** The value of a key where it is known and fresh. */
  peek(key: string): Value | undefined {
    return this.#youngerThan(this.options.hearing() ? TRUSTED_MS : UNHEARD_MS, key);
  }

  /** Forgets what belongs to a tenant; `*` forgets everything. */
  forget(tenantId: string): void {
    for (const loading of this.#unfinished) loading.changed.add(tenantId);
    this.#loading.clear();
    this.#absent.clear();
    if (tenantId === '*') this.#entries.clear();
    else for (const key of this.#keysOfTenant.get(tenantId) ?? []) this.#entries.delete(key);
  }

  #youngerThan(ms: number, key: string): Value | undefined {
    const found = this.#entries.get(key);
    return found !== undefined && performance.now() - found.loadedMs < ms ? found.value : undefined;
  }

  #load(key: string, load: () => Promise<Value | undefined>): Loading<Value> {
    const changed = new Set<string>();
    const loading: Loading<Value> = { changed, result: read(load).then((value) => this.#keep(key, value, changed)) };
    const finish = (): void => {
      this.#unfinished.delete(loading);
      if (this.#loading.get(key) === loading) this.#loading.delete(key);
    };
    this.#loading.set(key, loading);
    this.#unfinished.add(loading);
    loading.result.then(finish, finish);
    return loading;
  }

  #keep(key: string, value: Value | undefined, changed: ReadonlySet<string>): Value | undefined {
    if (value === undefined) {
      this.#entries.delete(key);
      if (changed.size === 0) this.#absent.set(key, true);
      return undefined;
    }
    if (changed.has('*') || changed.has(value.tenantId)) return value;
    this.#entries.set(key, { value, loadedMs: performance.now() });
    const keys = this.#keysOfTenant.get(value.tenantId) ?? new Set<string>();
    this.#keysOfTenant.set(value.tenantId, keys.add(key));
    return value;
  }

  #unlink(tenantId: string, key: string): void {
    const keys = this.#keysOfTenant.get(tenantId);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOfTenant.delete(tenantId);
  }
}

/** Reads, and once more where PostgreSQL gave the reading up, as for a migration that waits for it. @throws AppError unavailable where it does so again */
async function read<Value>(load: () => Promise<Value>): Promise<Value> {
  try {
    return await load().catch((error: unknown) =>
      isGivenUp(error) && !isTimeout(error) ? load() : Promise.reject(error),
    );
  } catch (error) {
    throw isGivenUp(error) ? errorOf(error) : error;
  }
}
