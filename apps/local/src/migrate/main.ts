import { processEnvironment } from '#libs/config';
import { openDataFolder, provideKeys } from '#libs/embedded';
import { migrate } from '#migrations';
import { parseLocalConfig } from '../config.js';
import { provideStores } from '../stores.js';

/** `npm run migrate`: brings the given database, or the private one of the data folder, to this version's schema. */
try {
  const config = parseLocalConfig(processEnvironment());
  await using stack = new AsyncDisposableStack();
  const data = openDataFolder(config.dataDir);
  stack.defer(() => data.release());
  const stores = await provideStores({ ...config, REDIS_URL: config.REDIS_URL ?? 'redis://unused' }, data, stack);
  const names = await migrate(stores.databaseUrl, config.WHARF_MASTER_KEY ?? provideKeys(data).masterKey);
  process.stdout.write(names.length === 0 ? 'The schema is up to date.\n' : `Migrated: ${names.join(', ')}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
