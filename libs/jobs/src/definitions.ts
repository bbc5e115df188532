import { z } from 'zod';

/** A job: its queue, its name, what it carries and how often it is tried. Handlers live in `apps/background`. */
export interface JobDefinition<Payload> {
  readonly queue: QueueName;
  readonly name: string;
  readonly payload: z.ZodType<Payload>;
  readonly attempts: number;
}

/** The queues of the platform. */
export const QUEUES = ['releases', 'tenants', 'webhooks', 'probes', 'drift'] as const;
export type QueueName = (typeof QUEUES)[number];

/** Makes a built release live, after its worker has answered `tools/list`. */
export const publishReleaseJob = {
  queue: 'releases',
  name: 'publish-release',
  payload: z.strictObject({
    tenantId: z.uuid(),
    serverId: z.uuid(),
    releaseId: z.uuid(),
    requestedBy: z.unknown(),
    acknowledgeBreaking: z.boolean().optional(),
    previousMajorUntil: z.iso.datetime({ offset: true }).optional(),
  }),
  attempts: 5,
} as const satisfies JobDefinition<unknown>;

/**
 * Version 0.1.0 of the platform judges by fewer rules and refuses a job with a member that it does not know, so that
 * `rules` keeps rollouts from it (docs/upgrades.md). A job that it wrote has none, and is taken by these rules.
 */
const ofRollout = z.strictObject({ tenantId: z.uuid(), rolloutId: z.uuid(), rules: z.literal(2).default(2) });

/** Checks a rollout's candidate and begins its first step. */
export const startRolloutJob = {
  queue: 'releases',
  name: 'start-rollout',
  payload: ofRollout,
  attempts: 8,
} as const satisfies JobDefinition<unknown>;

/** Judges a rollout once; each run leaves the next one behind until the rollout is over. */
export const watchRolloutJob = {
  queue: 'releases',
  name: 'watch-rollout',
  payload: ofRollout,
  attempts: 20,
} as const satisfies JobDefinition<unknown>;

/** Runs a server's probes on a release and keeps what came of it. */
export const runProbesJob = {
  queue: 'probes',
  name: 'run-probes',
  payload: z.strictObject({
    tenantId: z.uuid(),
    serverId: z.uuid(),
    /** Without it, the release that is live when the job runs. */
    releaseId: z.uuid().optional(),
    /** Without it, every probe that is enabled. */
    probeIds: z.array(z.uuid()).max(100).optional(),
    cause: z.enum(['request', 'schedule']),
  }),
  attempts: 3,
} as const satisfies JobDefinition<unknown>;

/** Holds what a server's live release approved of against what its upstream servers list now. */
export const checkDriftJob = {
  queue: 'drift',
  name: 'check-drift',
  payload: z.strictObject({ tenantId: z.uuid(), serverId: z.uuid() }),
  attempts: 2,
} as const satisfies JobDefinition<unknown>;

/** Stops the workers of a suspended tenant. */
export const evictTenantJob = {
  queue: 'tenants',
  name: 'evict-tenant',
  payload: z.strictObject({ tenantId: z.uuid() }),
  attempts: 5,
} as const satisfies JobDefinition<unknown>;

/** Tells the owners of a tenant by mail what became of it. */
export const tellOwnersJob = {
  queue: 'tenants',
  name: 'tell-owners',
  payload: z.strictObject({
    tenantId: z.uuid(),
    news: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.enum(['suspended', 'resumed', 'restored']) }),
      z.strictObject({
        kind: z.literal('deletion_requested'),
        by: z.enum(['owner', 'operator']),
        due_at: z.iso.datetime(),
        /** That it was asked for so often that no mail may say when it is taken back. */
        often: z.literal(true).optional(),
      }),
    ]),
    /** Only where the operators want it said. */
    reason: z.string().optional(),
    contact: z.string().optional(),
  }),
  attempts: 10,
} as const satisfies JobDefinition<unknown>;

/** Makes the archive of a whole tenant. */
export const exportTenantJob = {
  queue: 'tenants',
  name: 'export-tenant',
  payload: z.strictObject({ tenantId: z.uuid(), exportId: z.uuid() }),
  attempts: 3,
} as const satisfies JobDefinition<unknown>;

/** Revokes at its upstream what a person held there. A trigger of the database writes it, whatever ended the connection. */
export const revokeConnectionJob = {
  queue: 'tenants',
  name: 'revoke-connection',
  payload: z.strictObject({ tenantId: z.uuid(), endingId: z.uuid() }),
  attempts: 10,
} as const satisfies JobDefinition<unknown>;

/** Sends one delivery of a webhook; with the queue's doubling back-off its last attempt is a day and a half later. */
export const deliverWebhookJob = {
  queue: 'webhooks',
  name: 'deliver-webhook',
  payload: z.strictObject({ tenantId: z.uuid(), webhookId: z.uuid(), deliveryId: z.uuid() }),
  attempts: 18,
} as const satisfies JobDefinition<unknown>;

/** Brings a webhook that streams the audit log up to its newest record; after an hour of failures a new job begins. */
export const streamRecordsJob = {
  queue: 'webhooks',
  name: 'stream-records',
  payload: z.strictObject({ tenantId: z.uuid(), webhookId: z.uuid() }),
  attempts: 12,
} as const satisfies JobDefinition<unknown>;
