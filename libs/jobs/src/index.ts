export {
  deliverWebhookJob,
  evictTenantJob,
  publishReleaseJob,
  QUEUES,
  runProbesJob,
  streamRecordsJob,
  type JobDefinition,
  type QueueName,
} from './definitions.js';
export { enqueue, enqueueAll } from './enqueue.js';
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
