export {
  checkDriftJob,
  deliverWebhookJob,
  evictTenantJob,
  exportTenantJob,
  revokeConnectionJob,
  publishReleaseJob,
  QUEUES,
  runProbesJob,
  startRolloutJob,
  streamRecordsJob,
  tellOwnersJob,
  watchRolloutJob,
  type JobDefinition,
  type QueueName,
} from './definitions.js';
export { enqueue, enqueueAll, succeed } from './enqueue.js';
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
