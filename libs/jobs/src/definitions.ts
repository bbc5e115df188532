import { z } from 'zod';

/** A job: its queue, its name, what it carries and how often it is tried. Handlers live in `apps/background`. */
export interface JobDefinition<Payload> {
  readonly queue: QueueName;
  readonly name: string;
  readonly payload: z.ZodType<Payload>;
  readonly attempts: number;
}

/** The queues of the platform. */
export const QUEUES = ['releases', 'tenants', 'webhooks'] as const;
export type QueueName = (typeof QUEUES)[number];

/** Makes a built release live, after its worker has answered `tools/list`. */
export const publishReleaseJob = {
  queue: 'releases',
  name: 'publish-release',
  payload: z.strictObject({ tenantId: z.uuid(), serverId: z.uuid(), releaseId: z.uuid(), requestedBy: z.unknown() }),
  attempts: 5,
} as const satisfies JobDefinition<unknown>;

/** Stops the workers of a suspended tenant. */
export const evictTenantJob = {
  queue: 'tenants',
  name: 'evict-tenant',
  payload: z.strictObject({ tenantId: z.uuid() }),
  attempts: 5,
} as const satisfies JobDefinition<unknown>;

/** Runs of a job that waits for a tenant's receiver: with the queue's doubling back-off, a day and a half. */
const RECEIVER_ATTEMPTS = 18;

/** Sends one delivery of a webhook. */
export const deliverWebhookJob = {
  queue: 'webhooks',
  name: 'deliver-webhook',
  payload: z.strictObject({ tenantId: z.uuid(), webhookId: z.uuid(), deliveryId: z.uuid() }),
  attempts: RECEIVER_ATTEMPTS,
} as const satisfies JobDefinition<unknown>;

/** Brings a webhook that streams the audit log up to its newest record. */
export const streamRecordsJob = {
  queue: 'webhooks',
  name: 'stream-records',
  payload: z.strictObject({ tenantId: z.uuid(), webhookId: z.uuid() }),
  attempts: RECEIVER_ATTEMPTS,
} as const satisfies JobDefinition<unknown>;
