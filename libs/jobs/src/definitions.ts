import { z } from 'zod';

/** A job: its queue, its name, what it carries and how often it is tried. Handlers live in `apps/background`. */
export interface JobDefinition<Payload> {
  readonly queue: QueueName;
  readonly name: string;
  readonly payload: z.ZodType<Payload>;
  readonly attempts: number;
}

/** The queues of the platform. */
export const QUEUES = ['releases', 'tenants'] as const;
export type QueueName = (typeof QUEUES)[number];

/** Makes a built release live, after its worker has answered `tools/list`. */
export const publishReleaseJob = {
  queue: 'releases',
  name: 'publish-release',
  payload: z.strictObject({ tenantId: z.uuid(), serverId: z.uuid(), releaseId: z.uuid(), requestedBy: z.unknown() }),
  attempts: 5,
} as const satisfies JobDefinition<unknown>;

const ofRollout = z.strictObject({ tenantId: z.uuid(), rolloutId: z.uuid() });

/** Checks a rollout's candidate and begins its first step. */
export const startRolloutJob = {
  queue: 'releases',
  name: 'start-rollout',
  payload: ofRollout,
  attempts: 5,
} as const satisfies JobDefinition<unknown>;

/** Judges a rollout once; each run leaves the next one behind until the rollout is over. */
export const watchRolloutJob = {
  queue: 'releases',
  name: 'watch-rollout',
  payload: ofRollout,
  attempts: 20,
} as const satisfies JobDefinition<unknown>;

/** Stops the workers of a suspended tenant. */
export const evictTenantJob = {
  queue: 'tenants',
  name: 'evict-tenant',
  payload: z.strictObject({ tenantId: z.uuid() }),
  attempts: 5,
} as const satisfies JobDefinition<unknown>;
