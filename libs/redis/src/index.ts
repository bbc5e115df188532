export {
  isCluster,
  mastersOf,
  openForQueues,
  openRedis,
  openSubscriber,
  publish,
  untilOpened,
  queuePrefix,
  type QueueConnection,
  type RedisStore,
} from './open-redis.js';
