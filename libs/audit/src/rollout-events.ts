import { z } from 'zod';
import { event } from './event-kind.js';

const text = z.string();
const count = z.int().min(0);
const publishing = { server_id: text, job_id: text, reason: text.optional() };
const rolledOut = { server: text, release: text, strategy: text };
/** Where a rollout came to, and the judgement it rests on. */
const moved = { ...rolledOut, step: count, percent: count, reason: text, verdict: z.unknown().optional() };

/** What happens to releases and their rollouts, and to when they may go out. */
export const ROLLOUT_EVENTS = {
  'release.created': event('A release was built.', { server: text, number: count, digest: text, tools: count }),
  'release.publish_requested': event('Somebody asked to publish a release.', {
    server: text,
    number: count,
    acknowledge_breaking: z.boolean(),
    acknowledge_rejected: z.boolean().optional(),
    override_schedule: z.boolean().optional(),
    effect: text.optional(),
  }),
  'release.published': event('A release went live.', publishing),
  'release.rejected': event('A release failed its checks and did not go live.', publishing),
  'release.rolled_back': event('The release before became live again.', { server: text, from: text.nullable() }),
  'release_schedule.changed': event('It was said when a server’s releases may go out.', {
    windows: z.array(z.strictObject({ days: z.array(count), from: text, until: text, time_zone: text })),
    freeze: z.strictObject({ reason: text, until: text.nullable() }).nullable(),
  }),
  'rollout.created': event('Somebody asked for a release to be rolled out.', {
    ...rolledOut,
    steps: z.array(z.strictObject({ percent: count, seconds: count })).readonly(),
    acknowledge_breaking: z.boolean(),
    acknowledge_rejected: z.boolean().optional(),
    override_schedule: z.boolean(),
    effect: text,
  }),
  'rollout.started': event('A rollout’s candidate passed its checks, and its first step began.', moved),
  'rollout.advanced': event('A rollout’s step was good, and the next one began.', moved),
  'rollout.paused': event('A rollout waits for somebody.', moved),
  'rollout.resumed': event('A paused rollout went on.', moved),
  'rollout.switched': event(
    'A rollout’s candidate went live; sessions of the old release may go on for a while.',
    moved,
  ),
  'rollout.held': event(
    'A rollout’s candidate is live, and its drain goes on until somebody promotes or aborts it.',
    moved,
  ),
  'rollout.promoted': event('A rollout is over: its candidate serves every call and session.', moved),
  'rollout.rolled_back': event('A rollout’s candidate was bad and was taken away from every caller.', moved),
  'rollout.aborted': event('A rollout was ended, and its candidate taken away from every caller.', moved),
  'rollout.rejected': event('A rollout’s candidate failed its checks and met no caller.', moved),
};
