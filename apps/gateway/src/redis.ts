import { Redis } from 'ioredis';
import type { Logger } from '#libs/telemetry';

const CONNECT_MS = 2_000;
const COMMAND_MS = 500;

/**
 * The gateway's Redis: what it holds may be lost, so commands fail fast while it is away instead of waiting in a queue,
 * and the connection comes back by itself.
 */
export async function connectRedis(redisUrl: string, logger: Logger, commandMs = COMMAND_MS): Promise<Redis> {
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    commandTimeout: commandMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  redis.on('error', (error: Error) => logger.warn({ cause: error.message }, 'redis is not reachable'));
  await redis.connect().catch(() => undefined);
  return redis;
}
