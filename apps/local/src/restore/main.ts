import path from 'node:path';
import { processEnvironment, type Secret } from '#libs/config';
import { withMasterKeys } from '#libs/root-keys';
import { parseLocalConfig, type LocalConfig } from '../config.js';
import { provideTarget } from '../target.js';
import { readOptions, saidUsage, UsageError } from '../usage.js';
import { BackupError, HalfRestoredError } from '../backup/backup-error.js';
import { adoptKeys, readMasterKey } from '../backup/key-files.js';
import type { SealedTable } from '../backup/manifest.js';
import { checkObjects, troubleWith } from './check-objects.js';
import { readRestorable, restore } from './restore.js';

const USAGE = `Use: npm run restore -- --from FOLDER [--keys-from ANOTHER_FOLDER] [--into DEDICATED_DATABASE]

  --from FOLDER               the backup, which goes into an empty database, or a new data folder where none is named
  --keys-from ANOTHER_FOLDER  the folder that \`--keys-to\` wrote; without it, WHARF_MASTER_KEY
  --into DEDICATED_DATABASE   brings back a database of WHARF_DEDICATED_DATABASES, and not the common one
  --missing-objects accept    ends with 0 although objects are missing in the object store, or could not be looked for
  --help                      prints this
`;

/** The exit status of a restore that is complete but for what is not in the database. */
const OBJECTS_MISSING = 3;

/** The key that a backup is opened with: nothing is made for it, so that a key that is missing costs no data folder. */
async function keyOf(config: LocalConfig, keysFolder: string | undefined): Promise<Secret> {
  if (keysFolder !== undefined) return readMasterKey(keysFolder);
  if (config.WHARF_MASTER_KEY !== undefined) return config.WHARF_MASTER_KEY;
  return readMasterKey(path.join(config.dataDir, 'keys')).catch(() => {
    throw new BackupError(
      'No master key is given: name the folder that `--keys-to` wrote with `--keys-from`, or set WHARF_MASTER_KEY.',
    );
  });
}

/** The configuration with the kept keys in it: given to a database that is named, put into a data folder that is ours. */
async function withKeys(config: LocalConfig, keysFolder: string | undefined): Promise<LocalConfig> {
  if (keysFolder === undefined) return config;
  if (config.DATABASE_URL === undefined) {
    await adoptKeys(keysFolder, config.dataDir);
    return config;
  }
  return { ...config, WHARF_MASTER_KEY: await readMasterKey(keysFolder) };
}

/** The configuration with a dedicated database in the common one's place. */
function dedicatedTarget(config: LocalConfig, name: string): LocalConfig {
  const url = config.WHARF_DEDICATED_DATABASES.get(name);
  if (url === undefined) throw new BackupError(`WHARF_DEDICATED_DATABASES has no ${name}; name one of its databases.`);
  return { ...config, DATABASE_URL: url.reveal() };
}

function tell({ name, rows }: SealedTable): void {
  if (rows > 0) process.stdout.write(`  ${name}: ${rows} rows\n`);
}

/** `npm run restore`: brings an empty database, also a dedicated one with `--into`, or the private one of a new data folder, to what a backup holds. */
try {
  const startedMs = performance.now();
  const option = { type: 'string' } as const;
  const options = { from: option, 'keys-from': option, into: option, 'missing-objects': option };
  const { from: folder, 'keys-from': keysFolder, into, ...more } = readOptions(process.argv.slice(2), options, USAGE);
  const goesOn = more['missing-objects'];
  if (goesOn !== undefined && goesOn !== 'accept')
    throw new UsageError('--missing-objects takes one word, accept.', USAGE);
  if (folder === undefined) throw new UsageError('No folder is named.', USAGE);
  const given = parseLocalConfig(await withMasterKeys(processEnvironment()));
  const content = await readRestorable(path.resolve(folder), await keyOf(given, keysFolder));
  const config = await withKeys(given, keysFolder);
  await using stack = new AsyncDisposableStack();
  const target = await provideTarget(into === undefined ? config : dedicatedTarget(config, into), stack);
  await restore({ ...target, folder: path.resolve(folder), onTable: tell }, content);
  process.stdout.write(
    `Restored ${content.tables.length} tables of ${content.made_at} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s; ` +
      `${content.checkpoints.length} signed checkpoints and the tools of ${content.tools.length} live releases are as they were.\n`,
  );
  const found = await checkObjects(target.databaseUrl, processEnvironment(), (line) =>
    process.stderr.write(`${line}\n`),
  );
  const trouble = troubleWith(found);
  if (trouble !== undefined) {
    process.stderr.write(trouble);
    if (goesOn === undefined) process.exitCode = OBJECTS_MISSING;
  }
} catch (error) {
  if (!saidUsage(error)) {
    const untouched = error instanceof HalfRestoredError ? '' : 'Nothing was restored; the database is as it was.\n';
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${untouched}`);
    process.exitCode = 1;
  }
}
