import path from 'node:path';
import { parseArgs } from 'node:util';
import { processEnvironment } from '#libs/config';
import { parseLocalConfig } from '../config.js';
import { provideTarget } from '../target.js';
import { backUp } from './backup.js';
import { BackupError } from './backup-error.js';
import { writeKeys } from './key-files.js';

const USAGE = 'Use: npm run backup -- --to FOLDER [--keys-to ANOTHER_FOLDER]';

/** `npm run backup`: writes everything in the database to a new folder, and with `--keys-to` the keys to another. */
try {
  const startedMs = performance.now();
  const { values } = parseArgs({ options: { to: { type: 'string' }, 'keys-to': { type: 'string' } } });
  const { to: folder, 'keys-to': keysFolder } = values;
  if (folder === undefined) throw new BackupError(`No folder is named. ${USAGE}`);
  await using stack = new AsyncDisposableStack();
  const target = await provideTarget(parseLocalConfig(processEnvironment()), stack);
  const content = await backUp({
    ...target,
    folder: path.resolve(folder),
    onTable: ({ name, rows }) => (rows > 0 ? process.stdout.write(`  ${name}: ${rows} rows\n`) : undefined),
  });
  if (keysFolder !== undefined) await writeKeys(keysFolder, folder, target);
  const bytes = content.tables.reduce((sum, table) => sum + table.bytes, 0);
  process.stdout.write(
    `Backed up ${content.tables.length} tables, ${bytes} bytes, of ${content.made_at} to ${folder} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.\n` +
      (keysFolder === undefined
        ? 'The keys are not in it: without WHARF_MASTER_KEY nobody can restore it. `--keys-to` writes them to another folder.\n'
        : `The keys are in ${keysFolder}. Keep them apart from the backup.\n`),
  );
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
