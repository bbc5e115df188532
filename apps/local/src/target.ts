import type { Secret } from '#libs/config';
import { openDataFolder, provideIntakeKey } from '#libs/embedded';
import type { LocalConfig } from './config.js';
import { provideMasterKey } from './master-key.js';
import { provideStores } from './stores.js';

/** A database, and the key that the services' passwords derive from. */
export interface Target {
  readonly databaseUrl: string;
  readonly masterKey: Secret;
  /** What services show to worker-runtimes; undefined where the database and its key are given and this one is not. */
  readonly intakeKey: Secret | undefined;
}

/** What to migrate, back up or restore; the data folder holds what is not given, and what was started ends with `stack`. */
export async function provideTarget(config: LocalConfig, stack: AsyncDisposableStack): Promise<Target> {
  const { DATABASE_URL: databaseUrl, WHARF_MASTER_KEY: masterKey, WHARF_INTAKE_KEY: intakeKey } = config;
  if (databaseUrl !== undefined && masterKey !== undefined) return { databaseUrl, masterKey, intakeKey };
  const data = openDataFolder(config.dataDir);
  stack.defer(() => data.release());
  const stores = await provideStores({ ...config, REDIS_URL: config.REDIS_URL ?? 'redis://unused' }, data, stack);
  return {
    databaseUrl: stores.databaseUrl,
    masterKey: masterKey ?? (await provideMasterKey(data, stores.databaseUrl)),
    intakeKey: intakeKey ?? provideIntakeKey(data),
  };
}
