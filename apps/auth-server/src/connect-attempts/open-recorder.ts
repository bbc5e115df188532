import { ConnectRecorder, deleteOldSteps } from '#libs/connect-attempts';
import { BatchSweep, type Database } from '#libs/database';
import { openRedis } from '#libs/redis';
import type { Logger } from '#libs/telemetry';
import type { AuthServerConfig } from '../config.js';

const COMMAND_MS = 500;
const SWEEP_EVERY_MS = 10 * 60 * 1_000;

/** The recorder of attempts to connect, with the sweep of what is older than a day. */
export interface OpenRecorder {
  readonly recorder: ConnectRecorder;
  stop(): Promise<void>;
}

/** Opens the recorder; while Redis is away, steps that name no URL are not recorded. */
export function openRecorder(config: AuthServerConfig, database: Database, logger: Logger): OpenRecorder {
  const redis = openRedis(config.REDIS_URL, { commandMs: COMMAND_MS, onError: () => undefined });
  const recorder = new ConnectRecorder({ database, redis, masterKey: config.WHARF_MASTER_KEY, logger });
  const sweep = new BatchSweep({
    everyMs: SWEEP_EVERY_MS,
    deleteBatch: (limit) => deleteOldSteps(database, limit),
    onSwept: (deleted) => logger.info({ deleted }, 'old steps of connecting agents deleted'),
    onFailed: (error) => logger.warn({ err: error }, 'old steps of connecting agents could not be deleted'),
  });
  sweep.start();
  return {
    recorder,
    async stop() {
      await Promise.all([recorder.close(), sweep.stop()]);
      redis.disconnect();
    },
  };
}
