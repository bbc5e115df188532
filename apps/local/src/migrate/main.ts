import { processEnvironment, type Secret } from '#libs/config';
import { openDataFolder, provideKeys } from '#libs/embedded';
import { migrate } from '#migrations';
import { parseLocalConfig, type LocalConfig } from '../config.js';
import { provideOperator } from '../operator-key.js';
import { provideStores } from '../stores.js';

/** What to migrate, and the key that the services' passwords derive from; the data folder holds what is not given. */
async function provideTarget(
  config: LocalConfig,
  stack: AsyncDisposableStack,
): Promise<{ databaseUrl: string; masterKey: Secret }> {
  const { DATABASE_URL: databaseUrl, WHARF_MASTER_KEY: masterKey } = config;
  if (databaseUrl !== undefined && masterKey !== undefined) return { databaseUrl, masterKey };
  const data = openDataFolder(config.dataDir);
  stack.defer(() => data.release());
  const stores = await provideStores({ ...config, REDIS_URL: config.REDIS_URL ?? 'redis://unused' }, data, stack);
  return { databaseUrl: stores.databaseUrl, masterKey: masterKey ?? provideKeys(data).masterKey };
}

/** `npm run migrate`: brings the given database, or the private one of the data folder, to this version's schema. */
try {
  const config = parseLocalConfig(processEnvironment());
  await using stack = new AsyncDisposableStack();
  const { databaseUrl, masterKey } = await provideTarget(config, stack);
  const names = await migrate(databaseUrl, masterKey);
  const { WHARF_OPERATOR_KEY: key } = config;
  if (key !== undefined) await provideOperator(databaseUrl, masterKey, { name: 'migrate', key });
  process.stdout.write(names.length === 0 ? 'The schema is up to date.\n' : `Migrated: ${names.join(', ')}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
