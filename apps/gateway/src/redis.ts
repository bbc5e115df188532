import { openRedis, untilOpened, type RedisStore } from '#libs/redis';
import type { Logger } from '#libs/telemetry';

const COMMAND_MS = 500;

/** The gateway's Redis, after the first try to reach it: what it holds may be lost, so the gateway starts without it too. */
export async function connectRedis(redisUrl: string, logger: Logger, commandMs = COMMAND_MS): Promise<RedisStore> {
  const onError = (error: Error): void => logger.warn({ cause: error.message }, 'redis is not reachable');
  const redis = openRedis(redisUrl, { commandMs, onError });
  await untilOpened(redis);
  return redis;
}
