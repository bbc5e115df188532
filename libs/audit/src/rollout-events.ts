import { z } from 'zod';
import { event } from './event-kind.js';

const text = z.string();
const count = z.int().min(0);
const rolledOut = { server: text, release: text, strategy: text };
/** Where a rollout came to, and the judgement it rests on. */
const moved = { ...rolledOut, step: count, percent: count, reason: text, verdict: z.unknown().optional() };

/** What happens to rollouts, and to when they may happen. */
export const ROLLOUT_EVENTS = {
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
  'rollout.promoted': event('A rollout is over: its candidate serves every call and session.', moved),
  'rollout.rolled_back': event('A rollout’s candidate was bad and was taken away from every caller.', moved),
  'rollout.aborted': event('A rollout was ended, and its candidate taken away from every caller.', moved),
  'rollout.rejected': event('A rollout’s candidate failed its checks and met no caller.', moved),
};
