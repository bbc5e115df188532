import type { Transaction } from '../connection/transaction.js';
import { TenantAway } from './tenant-away.js';

type Ask = <Result>(work: (tx: Transaction) => Promise<Result>) => Promise<Result>;

/** The databases to compare: the common one, and each dedicated one that is configured. */
export interface ComparedDatabases {
  readonly common: Ask;
  readonly names: readonly string[];
  readonly at: (name: string) => Ask;
  /** Those that could not be used, or heard, when somebody last tried. */
  readonly lost: () => readonly string[];
}

/** Less than readiness waits for any of its checks. */
const WITHIN_MS = 1_000;

interface Found {
  readonly migrated_to: string | null;
  readonly database: string | null;
}

async function foundIn(ask: Ask): Promise<Found | undefined> {
  const rows = await ask<Found[]>((tx) => tx.query(`select migrated_to, database from installation`));
  return rows[0];
}

/**
 * Says of dedicated databases that they have the common one's schema, and which do not answer. One that was found so is asked
 * again only once it was lost; whatever it is then is the trouble of its own tenants, and keeps no service from being ready.
 */
export class SchemaCheck {
  readonly #settled = new Set<string>();
  /** Those that were settled before; what is found of them is no error. */
  readonly #served = new Set<string>();
  readonly #asking = new Map<string, Promise<boolean>>();

  constructor(private readonly databases: ComparedDatabases) {}

  /** @returns those that do not answer @throws Error that names one that has another schema from the start, and what to do */
  async read(): Promise<readonly string[]> {
    const lost = new Set(this.databases.lost());
    for (const name of lost) this.#settled.delete(name);
    const names = this.databases.names.filter((name) => !this.#settled.has(name));
    if (names.length === 0) return [];
    // That the common one does not answer is said elsewhere.
    const common = await foundIn(this.databases.common).catch(() => undefined);
    if (common === undefined) return names;
    const away = await Promise.all(
      names.map((name) => {
        const asked = this.#asked(name, common.migrated_to);
        return this.#served.has(name) ? withinOrAway(asked) : asked;
      }),
    );
    return names.filter((name, place) => away[place] === true || this.databases.lost().includes(name));
  }

  /** Whoever asks while somebody does hears the same. */
  #asked(name: string, wanted: string | null): Promise<boolean> {
    const asking = this.#asking.get(name) ?? this.#isAway(name, wanted).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return asking;
  }

  async #isAway(name: string, wanted: string | null): Promise<boolean> {
    try {
      await this.#compare(name, wanted);
    } catch (error) {
      if (error instanceof TenantAway || this.#served.has(name)) return true;
      throw error;
    }
    this.#settled.add(name);
    this.#served.add(name);
    return false;
  }

  async #compare(name: string, wanted: string | null): Promise<void> {
    const found = await foundIn(this.databases.at(name)).catch((error: unknown) => {
      if (error instanceof TenantAway) throw error;
      throw new Error(`dedicated database ${name} has no schema of this platform; run \`npm run migrate\``, {
        cause: error,
      });
    });
    if (found?.database !== name)
      throw new Error(
        `WHARF_DEDICATED_DATABASES: ${name} leads to another database; correct it or run \`npm run migrate\``,
      );
    if (found.migrated_to !== wanted)
      throw new Error(
        `dedicated database ${name} has the schema ${found.migrated_to ?? 'of an earlier version'}, the common one ${wanted ?? 'an earlier one'}; run \`npm run migrate\``,
      );
  }
}

/** Whoever asks whether a service is ready waits for no database that hangs. */
async function withinOrAway(asked: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), WITHIN_MS);
  });
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}
