export {
  evictTenantJob,
  publishReleaseJob,
  QUEUES,
  runProbesJob,
  type JobDefinition,
  type QueueName,
} from './definitions.js';
export { enqueue } from './enqueue.js';
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
