import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Queue } from 'bullmq';
import { AppError } from '#libs/errors';
import { QUEUES, type QueueName } from '#libs/jobs';
import { isCluster, queuePrefix, type RedisStore } from '#libs/redis';
import type { Logger } from '#libs/telemetry';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, LOGGER, REDIS } from '../platform/tokens.js';

const ANSWER_MS = 2_000;

/** What Redis knows of a queue. */
export interface QueueState {
  readonly paused: boolean;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
}

/** The queues that the background service of this region works off: how full they are, and whether they run. */
@Injectable()
export class QueueSwitches implements OnModuleDestroy {
  readonly #queues: ReadonlyMap<QueueName, Queue>;

  constructor(
    @Inject(REDIS) redis: RedisStore,
    @Inject(LOGGER) logger: Logger,
    @Inject(CONFIG) config: ControlPlaneConfig,
  ) {
    const own = queuePrefix(config.WHARF_REGION);
    // In a Cluster, where jobs move between them, all keys lie together, as the background service has them.
    const prefix = isCluster(redis) ? `{${own}}` : own;
    // A connection that is given to a queue is its owner's to close.
    const of = (name: QueueName): Queue => {
      const queue = new Queue(name, { connection: redis, prefix, skipMetasUpdate: true });
      queue.on('error', (error) => logger.warn({ err: error, queue: name }, 'a queue cannot be reached'));
      return queue;
    };
    this.#queues = new Map(QUEUES.map((name) => [name, of(name)]));
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close().catch(() => undefined)));
  }

  /** How a queue is; undefined while Redis is away. */
  async find(name: QueueName): Promise<QueueState | undefined> {
    try {
      const queue = this.#get(name);
      const [counts, paused] = await answered(
        Promise.all([queue.getJobCounts('wait', 'active', 'delayed'), queue.isPaused()]),
      );
      const { wait: waiting = 0, active = 0, delayed = 0 } = counts;
      return { paused, waiting, active, delayed };
    } catch {
      return undefined;
    }
  }

  /** Has a queue run or wait. @throws AppError unavailable while Redis is away */
  async set(name: QueueName, to: 'paused' | 'running'): Promise<void> {
    try {
      const queue = this.#get(name);
      await answered(to === 'paused' ? queue.pause() : queue.resume());
    } catch (error) {
      throw redisAway(error);
    }
  }

  #get(name: QueueName): Queue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new AppError('internal', { detail: { reason: `no queue ${name}` } });
    return queue;
  }
}

/** What is asked about queues while nobody can reach them. */
export function redisAway(cause?: unknown): AppError {
  return new AppError('unavailable', {
    message: 'Redis, which holds the queues, does not answer at the moment. Try again shortly.',
    retryAfterSeconds: 5,
    cause,
  });
}

/** Rejects when Redis has not answered in time. */
async function answered<Result>(answer: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('unavailable')), ANSWER_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
