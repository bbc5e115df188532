import path from 'node:path';
import { parseArgs } from 'node:util';
import { processEnvironment } from '#libs/config';
import { withMasterKeys } from '#libs/root-keys';
import { parseLocalConfig } from '../config.js';
import { provideTarget } from '../target.js';
import { backUp } from './backup.js';
import { BackupError } from './backup-error.js';
import { refuseKeysFolder, writeKeys } from './key-files.js';
import type { SealedTable } from './manifest.js';
import { folderOf, forgetOld } from './series.js';

const USAGE =
  'Use: npm run backup -- --to NEW_FOLDER [--keys-to ANOTHER_FOLDER], or --below FOLDER --keep COUNT for one of a series';

interface Asked {
  readonly folder: string;
  readonly keysFolder: string | undefined;
  readonly series: { readonly folder: string; readonly keep: number } | undefined;
}

async function parse(): Promise<Asked> {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({ options: { to: option, below: option, keep: option, 'keys-to': option } });
  const { to, below, keep: keepText, 'keys-to': keysFolder } = values;
  if (to !== undefined && below === undefined && keepText === undefined)
    return { folder: path.resolve(to), keysFolder, series: undefined };
  const keep = Number(keepText);
  if (to !== undefined || below === undefined || !Number.isInteger(keep) || keep < 1) throw new BackupError(USAGE);
  return { folder: await folderOf(path.resolve(below), new Date()), keysFolder, series: { folder: below, keep } };
}

function tell({ name, rows }: SealedTable): void {
  if (rows > 0) process.stdout.write(`  ${name}: ${rows} rows\n`);
}

/**
 * `npm run backup`: writes everything in the database to a new folder, and what dedicated databases hold to folders
 * below it, and with `--keys-to` the keys to another; with `--below` and `--keep` the oldest of the series go when the
 * new one is whole.
 */
try {
  const startedMs = performance.now();
  const { folder, keysFolder, series } = await parse();
  if (keysFolder !== undefined) refuseKeysFolder(keysFolder, folder);
  await using stack = new AsyncDisposableStack();
  const config = parseLocalConfig(await withMasterKeys(processEnvironment()));
  const target = await provideTarget(config, stack);
  const content = await backUp({ ...target, folder, onTable: tell });
  for (const [name, url] of config.WHARF_DEDICATED_DATABASES) {
    const below = path.join(folder, 'dedicated', name);
    process.stdout.write(`Dedicated database ${name}:\n`);
    await backUp({ ...target, databaseUrl: url.reveal(), folder: below, onTable: tell }).catch((error: unknown) => {
      throw new BackupError(
        `The common database is backed up in ${folder}; dedicated database ${name} is not: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    });
  }
  if (keysFolder !== undefined) await writeKeys(keysFolder, folder, target);
  const bytes = content.tables.reduce((sum, table) => sum + table.bytes, 0);
  process.stdout.write(
    `Backed up ${content.tables.length} tables, ${bytes} bytes, of ${content.made_at} to ${folder} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.\n` +
      (keysFolder === undefined
        ? 'The keys are not in it: without WHARF_MASTER_KEY nobody can restore it. `--keys-to` writes them to another folder.\n'
        : `The keys are in ${keysFolder}. Keep them apart from the backup.\n`),
  );
  const forgotten = series === undefined ? [] : await forgetOld(series.folder, series.keep);
  if (forgotten.length > 0) process.stdout.write(`Deleted older ones: ${forgotten.join(', ')}.\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
