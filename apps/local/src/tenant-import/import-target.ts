import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedError, openDataFolder, type DataFolder } from '#libs/embedded';
import { ArchiveError } from '#libs/tenant-archive';
import { migrate, MIGRATION_NAMES } from '#migrations';
import { asOwner, migrationsOf } from '../backup/tables.js';
import { emptyAgain, findEmpty } from '../restore/restore-target.js';
import type { Target } from '../target.js';

const PURPOSE = 'wharf:import';

/**
 * Does `work` in a database that has this version's schema. An empty one gets it first, and is empty again where `work` fails.
 * @throws ArchiveError for a database with another version's schema, which is left as it is
 */
export async function withSchema<Result>(
  { databaseUrl, masterKey }: Pick<Target, 'databaseUrl' | 'masterKey'>,
  work: () => Promise<Result>,
): Promise<Result> {
  const empty = await asOwner(databaseUrl, PURPOSE, findEmpty);
  if (empty === undefined) {
    await refuseOtherSchema(databaseUrl);
    return work();
  }
  try {
    await migrate(databaseUrl, masterKey);
    return await work();
  } catch (error) {
    if (!(await isInUse(databaseUrl))) await emptyAgain(databaseUrl, empty.extensions);
    throw error;
  }
}

async function refuseOtherSchema(databaseUrl: string): Promise<void> {
  const present = new Set(await asOwner(databaseUrl, PURPOSE, migrationsOf));
  const missing = MIGRATION_NAMES.filter((name) => !present.has(name));
  if (missing.length > 0)
    throw new ArchiveError(
      `The database has not the schema of this version (${missing.length} of its migrations have not run): run \`npm run migrate\` first.`,
    );
}

/** Whether anybody has begun to use a database that was empty. */
async function isInUse(databaseUrl: string): Promise<boolean> {
  return asOwner(databaseUrl, PURPOSE, async (client) => {
    const { rows } = await client.query<{ tables: boolean }>(
      `select to_regclass('public.tenants') is not null and to_regclass('public.accounts') is not null as tables`,
    );
    if (rows[0]?.tables !== true) return false;
    return ((await client.query(`select from tenants union all select from accounts limit 1`)).rowCount ?? 0) > 0;
  });
}

/** Notes what a data folder holds; the answer takes away, once nobody uses the folder, what has been made in it since. */
export function noteFolder(folder: string): () => void {
  const root = path.resolve(folder);
  const wasThere = existsSync(root);
  const [before, keysBefore] = [namesIn(root), namesIn(path.join(root, 'keys'))];
  return () => {
    if (!existsSync(root)) return;
    // Held, so that nobody begins to use what is on its way out; what somebody uses by now is theirs.
    const held = heldIfFree(root);
    if (held === undefined) return;
    for (const name of namesIn(root)) if (!before.has(name) && name !== 'lock') remove(path.join(root, name));
    for (const name of namesIn(path.join(root, 'keys')))
      if (!keysBefore.has(name)) remove(path.join(root, 'keys', name));
    held.release();
    if (!wasThere && namesIn(root).size === 0) rmdirSync(root);
  };
}

function heldIfFree(root: string): DataFolder | undefined {
  try {
    return openDataFolder(root);
  } catch (error) {
    if (error instanceof EmbeddedError) return undefined;
    throw error;
  }
}

function namesIn(folder: string): ReadonlySet<string> {
  return new Set(existsSync(folder) ? readdirSync(folder) : []);
}

function remove(file: string): void {
  rmSync(file, { recursive: true, force: true });
}
