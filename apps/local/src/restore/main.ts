import path from 'node:path';
import { parseArgs } from 'node:util';
import { processEnvironment } from '#libs/config';
import { withMasterKeys } from '#libs/root-keys';
import { parseLocalConfig, type LocalConfig } from '../config.js';
import { provideTarget } from '../target.js';
import { BackupError } from '../backup/backup-error.js';
import { adoptKeys, readMasterKey } from '../backup/key-files.js';
import type { SealedTable } from '../backup/manifest.js';
import { restore } from './restore.js';

const USAGE = 'Use: npm run restore -- --from FOLDER [--keys-from ANOTHER_FOLDER]';

/** The configuration with the kept keys in it: given to a database that is named, put into a data folder that is ours. */
async function withKeys(config: LocalConfig, keysFolder: string | undefined): Promise<LocalConfig> {
  if (keysFolder === undefined) return config;
  if (config.DATABASE_URL === undefined) {
    await adoptKeys(keysFolder, config.dataDir);
    return config;
  }
  return { ...config, WHARF_MASTER_KEY: await readMasterKey(keysFolder) };
}

function tell({ name, rows }: SealedTable): void {
  if (rows > 0) process.stdout.write(`  ${name}: ${rows} rows\n`);
}

/** `npm run restore`: brings an empty database, or the private one of a new data folder, to what a backup holds. */
try {
  const startedMs = performance.now();
  const { values } = parseArgs({ options: { from: { type: 'string' }, 'keys-from': { type: 'string' } } });
  const { from: folder, 'keys-from': keysFolder } = values;
  if (folder === undefined) throw new BackupError(`No folder is named. ${USAGE}`);
  const config = await withKeys(parseLocalConfig(await withMasterKeys(processEnvironment())), keysFolder);
  await using stack = new AsyncDisposableStack();
  const content = await restore({
    ...(await provideTarget(config, stack)),
    folder: path.resolve(folder),
    onTable: tell,
  });
  process.stdout.write(
    `Restored ${content.tables.length} tables of ${content.made_at} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s; ` +
      `${content.checkpoints.length} signed checkpoints and the tools of ${content.tools.length} live releases are as they were.\n`,
  );
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
