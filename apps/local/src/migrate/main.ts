import { processEnvironment } from '#libs/config';
import { withMasterKeys } from '#libs/root-keys';
import { migrateAll } from '#migrations';
import { parseLocalConfig } from '../config.js';
import { provideOperator } from '../operator-key.js';
import { provideTarget } from '../target.js';

/** `npm run migrate`: brings the given database, or the private one of the data folder, to this version's schema. */
try {
  const config = parseLocalConfig(await withMasterKeys(processEnvironment()));
  await using stack = new AsyncDisposableStack();
  const { databaseUrl, masterKey } = await provideTarget(config, stack);
  const done = await migrateAll(databaseUrl, masterKey, config.WHARF_DEDICATED_DATABASES);
  const { WHARF_OPERATOR_KEY: key } = config;
  const state =
    key === undefined ? 'stands' : await provideOperator(databaseUrl, masterKey, { source: 'migrate', key });
  if (state === 'shut')
    process.stderr.write('WHARF_OPERATOR_KEY was shut, and opens nothing: set a new one, or none.\n');
  for (const { database, names } of done) {
    const where = database === undefined ? '' : `${database}: `;
    process.stdout.write(
      `${where}${names.length === 0 ? 'The schema is up to date.' : `Migrated: ${names.join(', ')}`}\n`,
    );
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
