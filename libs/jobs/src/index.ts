export { evictTenantJob, publishReleaseJob, QUEUES, type JobDefinition, type QueueName } from './definitions.js';
export { enqueue } from './enqueue.js';
