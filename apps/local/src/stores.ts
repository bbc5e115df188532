import path from 'node:path';
import { startPostgres, startRedis, type DataFolder, type EmbeddedServer } from '#libs/embedded';
import type { LocalConfig } from './config.js';

/** Fetched programs are kept beside the code, for all data folders. */
export const CACHE_FOLDER = path.resolve(import.meta.dirname, '../../../../.cache');

/** Where the platform's data is. */
export interface Stores {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/** The given PostgreSQL and Redis, or private ones in the data folder; what was started ends with `stack`. */
export async function provideStores(
  config: LocalConfig,
  data: DataFolder,
  stack: AsyncDisposableStack,
): Promise<Stores> {
  const owned = (server: EmbeddedServer): string => {
    stack.defer(() => server.stop());
    return server.url;
  };
  const starting = await Promise.allSettled([
    config.DATABASE_URL ?? startPostgres(data, 'durable').then(owned),
    config.REDIS_URL ?? startRedis(data, CACHE_FOLDER, 'durable').then(owned),
  ]);
  const [databaseUrl, redisUrl] = starting.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
  return { databaseUrl: databaseUrl ?? '', redisUrl: redisUrl ?? '' };
}
