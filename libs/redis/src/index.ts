export {
  isCluster,
  mastersOf,
  openForQueues,
  openRedis,
  openSubscriber,
  publish,
  untilOpened,
  type QueueConnection,
  type RedisStore,
} from './open-redis.js';
