export {
  evictTenantJob,
  publishReleaseJob,
  QUEUES,
  startRolloutJob,
  watchRolloutJob,
  type JobDefinition,
  type QueueName,
} from './definitions.js';
export { enqueue, succeed } from './enqueue.js';
export {
  claimJobs,
  closeJob,
  deleteClosedJobs,
  dispatchedJobs,
  findOpenJob,
  outboxBacklog,
  payloadOf,
  returnJobs,
  type OpenJob,
  type OutboxJob,
} from './outbox.js';
