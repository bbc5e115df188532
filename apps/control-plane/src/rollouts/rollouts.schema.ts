import { z } from 'zod';
import { DEFAULT_DRAIN_SECONDS, DEFAULT_STEPS, ROLLOUT_STATES, STRATEGIES } from '#libs/rollouts';
import { contract, jsonBody } from '../contract/contract.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';
import { publishOptions } from '../releases/releases.schema.js';
import { serverParams } from '../servers/servers.schema.js';
import { shownThresholds, thresholdsSchema } from './thresholds.schema.js';

const STEPS_MAX = 10;
const WEEK_SECONDS = 604_800;

const stepSchema = z.strictObject({
  percent: z.int().min(1).max(100).meta({ description: 'The candidate’s part.' }),
  seconds: z.int().min(1).max(WEEK_SECONDS).meta({ description: 'How long at least.' }),
});

/** A rollout. */
export const rolloutSchema = z
  .strictObject({
    id: z.uuid(),
    release: z.uuid().meta({ description: 'The candidate.' }),
    stable_release: z.uuid().meta({ description: 'The release that was live when the rollout was asked for.' }),
    strategy: z.enum(STRATEGIES),
    steps: z.array(stepSchema),
    drain_seconds: z.int(),
    thresholds: shownThresholds,
    state: z.enum(ROLLOUT_STATES),
    step: z.int().meta({ description: 'Counted from 0; as many as there are steps once the candidate is live.' }),
    percent: z.int().meta({ description: 'The part of the callers that meets the candidate now.' }),
    step_started_at: z.iso.datetime(),
    reason: z.string().nullable().meta({ description: 'Why it is where it is.' }),
    verdict: z.unknown().meta({ description: 'The latest judgement with its numbers; null before the first.' }),
    verdicts: z.array(z.unknown()).meta({ description: 'The judgements that it moved on, oldest first.' }),
    created_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Rollout' });

/** A rollout as the API shows it. */
export type RolloutAnswer = z.input<typeof rolloutSchema>;

const rolloutParams = serverParams.extend({ rollout: z.uuid() });
const answered = z.strictObject({ rollout: rolloutSchema });

/** How a release is brought to callers, whichever it is; to be refined by `refuseBadSteps` and completed by `withSteps`. */
export const rolloutWay = z.strictObject({
  strategy: z.enum(STRATEGIES).default('canary'),
  steps: z.array(stepSchema).min(1).max(STEPS_MAX).optional(),
  drain_seconds: z.int().min(0).max(86_400).default(DEFAULT_DRAIN_SECONDS),
  thresholds: thresholdsSchema,
  ...publishOptions,
});

type Way = z.output<typeof rolloutWay>;

/** Names what is wrong with the steps for the strategy. */
export function refuseBadSteps({ strategy, steps }: Way, context: z.RefinementCtx): void {
  if (steps === undefined) return;
  const refuse = (message: string): void => context.addIssue({ code: 'custom', path: ['steps'], message });
  if (strategy === 'blue-green') refuse('A blue-green rollout has no steps: it switches at once.');
  if (strategy === 'shadow' && steps.length > 1) refuse('A shadow has one step.');
  if (strategy !== 'canary') return;
  if (steps.at(-1)?.percent !== 100) refuse('The last step must be 100 percent.');
  if (steps.some((step, index) => step.percent <= (steps[index - 1]?.percent ?? 0)))
    refuse('Every step must be more percent than the one before.');
}

/** An order with the strategy's own steps where it names none. */
export function withSteps<Order extends Way>(order: Order) {
  return { ...order, steps: order.steps ?? DEFAULT_STEPS[order.strategy] };
}

const orderSchema = rolloutWay
  .extend({ release: z.uuid().meta({ description: 'The release to bring to the server’s callers.' }) })
  .superRefine(refuseBadSteps)
  .transform((order) => withSteps(order));

/** What somebody wants rolled out, and how. */
export type RolloutOrder = z.output<typeof orderSchema>;

/** `POST /v1/servers/{server}/rollouts` */
export const createRollout = contract({
  summary: 'Bring a release to a server’s callers, step by step or at once.',
  description:
    'The candidate is checked first. `canary` gives it a growing part of the callers and judges it against the live release, `blue-green` switches at once and keeps the old release warm, `shadow` asks it in secret what read-only tools were asked. A bad verdict takes the candidate away again by itself.',
  params: serverParams,
  body: jsonBody(orderSchema),
  answer: { status: 201, means: 'The rollout begins.', schema: answered },
  refuses: ['conflict'],
});

/** `GET /v1/servers/{server}/rollouts` */
export const listRollouts = contract({
  summary: 'List a server’s rollouts.',
  params: serverParams,
  query: z.strictObject({ limit: pageLimit(100), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'Rollouts, newest first.',
    schema: z.strictObject({ rollouts: z.array(rolloutSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/servers/{server}/rollouts/{rollout}` */
export const getRollout = contract({
  summary: 'Show where a rollout stands and why.',
  params: rolloutParams,
  answer: { status: 200, means: 'The rollout.', schema: answered },
});

const moving = (summary: string, means: string) =>
  contract({ summary, params: rolloutParams, answer: { status: 200, means, schema: answered }, refuses: ['conflict'] });

/** `POST /v1/servers/{server}/rollouts/{rollout}/pause` */
export const pauseRollout = moving('Stop a rollout where it is.', 'It waits; a bad verdict still ends it.');

/** `POST /v1/servers/{server}/rollouts/{rollout}/resume` */
export const resumeRollout = moving('Let a paused rollout go on.', 'Its step begins anew.');

/** `POST /v1/servers/{server}/rollouts/{rollout}/promote` */
export const promoteRollout = moving(
  'Make the candidate live without waiting for more steps; where it is live, end the old release’s sessions.',
  'The candidate is live.',
);

/** `POST /v1/servers/{server}/rollouts/{rollout}/abort` */
export const abortRollout = moving('Take the candidate away from every caller, at once.', 'The rollout is over.');
