import type { Transaction } from '../connection/transaction.js';
import { TenantAway } from './tenant-away.js';

/** Where a tenant is at home: the name of a database of `WHARF_DEDICATED_DATABASES`; the common one has none. */
export type Home = string | undefined;

interface HomeRow {
  readonly tenant_id: string;
  readonly database: string;
  readonly state: 'leaving' | 'dedicated' | 'returning';
}

/** A move closes a tenant for some seconds: for the rest of its rows, once most have been copied. */
const RETRY_SECONDS = 5;
/** A tenant that was on its way when last asked is asked for anew, so often. */
const TRANSIT_AGE_MS = 100;

/** The answer while a tenant is on its way between two databases. */
export function movingError(): TenantAway {
  return new TenantAway('The tenant is being moved to another database. Try again shortly.', {
    retryAfterSeconds: RETRY_SECONDS,
  });
}

/**
 * Which tenants are at home in databases of their own, as the common one had it when it was last asked. That it may be
 * stale does no harm: a database lets no tenant in that is not at home there, and whoever is turned away asks anew.
 */
export class Directory {
  #homes: ReadonlyMap<string, HomeRow> = new Map();
  #asked = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(private readonly common: <Result>(work: (tx: Transaction) => Promise<Result>) => Promise<Result>) {}

  /** @throws AppError unavailable while the tenant is on its way between two databases */
  async homeOf(tenantId: string): Promise<Home> {
    if (this.#isMoving(tenantId)) await this.refresh(TRANSIT_AGE_MS);
    if (this.#isMoving(tenantId)) throw movingError();
    return this.#homes.get(tenantId)?.database;
  }

  /** The databases that some tenant is at home in, or on its way to or from. */
  inUse(): readonly string[] {
    return [...new Set([...this.#homes.values()].map(({ database }) => database))].toSorted();
  }

  /** Asks again, once for all who want it at once, unless that was done `ageMs` ago or later. */
  async refresh(ageMs = 0): Promise<void> {
    const since = performance.now() - ageMs;
    while (this.#asked < since) {
      this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
      await this.#asking;
    }
  }

  #isMoving(tenantId: string): boolean {
    const state = this.#homes.get(tenantId)?.state;
    return state !== undefined && state !== 'dedicated';
  }

  async #ask(): Promise<void> {
    const asked = performance.now();
    const rows = await this.common<HomeRow[]>((tx) => tx.query(`select tenant_id, database, state from tenant_homes`));
    this.#homes = new Map(rows.map((row) => [row.tenant_id, row]));
    this.#asked = asked;
  }
}
