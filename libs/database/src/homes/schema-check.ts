import type { Transaction } from '../connection/transaction.js';
import { TenantAway } from './tenant-away.js';

type Ask = <Result>(work: (tx: Transaction) => Promise<Result>) => Promise<Result>;

/** The databases to compare: the common one, and each dedicated one that is configured. */
export interface ComparedDatabases {
  readonly common: Ask;
  readonly names: readonly string[];
  readonly at: (name: string) => Ask;
}

interface Found {
  readonly migrated_to: string | null;
  readonly database: string | null;
}

async function foundIn(ask: Ask): Promise<Found | undefined> {
  const rows = await ask<Found[]>((tx) => tx.query(`select migrated_to, database from installation`));
  return rows[0];
}

/** Says of dedicated databases, once each, that they have the common one's schema; what was so stays so in a process. */
export class SchemaCheck {
  readonly #settled = new Set<string>();

  constructor(private readonly databases: ComparedDatabases) {}

  /** @returns those that do not answer @throws Error that names one that has another schema, and what to do */
  async read(): Promise<readonly string[]> {
    const names = this.databases.names.filter((name) => !this.#settled.has(name));
    if (names.length === 0) return [];
    // That the common one does not answer is said elsewhere.
    const common = await foundIn(this.databases.common).catch(() => undefined);
    if (common === undefined) return names;
    const away = await Promise.all(names.map((name) => this.#isAway(name, common.migrated_to)));
    return names.filter((_, place) => away[place]);
  }

  async #isAway(name: string, wanted: string | null): Promise<boolean> {
    let found: Found | undefined;
    try {
      found = await foundIn(this.databases.at(name));
    } catch (error) {
      if (error instanceof TenantAway) return true;
      throw new Error(`dedicated database ${name} has no schema of this platform; run \`npm run migrate\``, {
        cause: error,
      });
    }
    if (found?.database !== name)
      throw new Error(
        `WHARF_DEDICATED_DATABASES: ${name} leads to another database; correct it or run \`npm run migrate\``,
      );
    if (found.migrated_to !== wanted)
      throw new Error(
        `dedicated database ${name} has the schema ${found.migrated_to ?? 'of an earlier version'}, the common one ${wanted ?? 'an earlier one'}; run \`npm run migrate\``,
      );
    this.#settled.add(name);
    return false;
  }
}
