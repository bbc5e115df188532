import path from 'node:path';
import { processEnvironment } from '#libs/config';
import { withMasterKeys } from '#libs/root-keys';
import { parseLocalConfig } from '../config.js';
import { provideTarget } from '../target.js';
import { readOptions, saidUsage, UsageError } from '../usage.js';
import { backUp } from './backup.js';
import { BackupError } from './backup-error.js';
import { refuseKeysFolder, writeKeys } from './key-files.js';
import type { SealedTable } from './manifest.js';
import { folderOf, forgetOld } from './series.js';

const USAGE = `Use: npm run backup -- --to NEW_FOLDER [--keys-to ANOTHER_FOLDER], or --below FOLDER --keep COUNT for one of a series

  --to NEW_FOLDER           writes the backup to a folder that is not there yet
  --below FOLDER            writes it to a folder below that one, named by the time
  --keep COUNT              with --below: so many are kept, older ones deleted
  --keys-to ANOTHER_FOLDER  writes the keys, without which nobody can restore it, to a folder of their own
  --help                    prints this
`;

interface Asked {
  readonly folder: string;
  readonly keysFolder: string | undefined;
  readonly series: { readonly folder: string; readonly keep: number } | undefined;
}

const option = { type: 'string' } as const;

async function asked(args: readonly string[]): Promise<Asked> {
  const options = { to: option, below: option, keep: option, 'keys-to': option };
  const { to, below, keep: keepText, 'keys-to': keysFolder } = readOptions(args, options, USAGE);
  if (to !== undefined && below === undefined && keepText === undefined)
    return { folder: path.resolve(to), keysFolder, series: undefined };
  if (to !== undefined) throw new UsageError('--to stands alone: neither --below nor --keep goes with it.', USAGE);
  if (below === undefined) throw new UsageError('No folder is named.', USAGE);
  const keep = Number(keepText);
  if (!Number.isInteger(keep) || keep < 1)
    throw new UsageError('--below needs --keep with how many are kept, 1 at least.', USAGE);
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
  const { folder, keysFolder, series } = await asked(process.argv.slice(2));
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
  if (!saidUsage(error)) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
