import { z } from 'zod';

/** What of a record is shown to people. */
export const recordSchema = z.looseObject({
  at: z.string(),
  event: z.string(),
  actor: z.looseObject({ kind: z.string(), id: z.string().optional() }),
  target: z.string(),
  outcome: z.string(),
  details: z.looseObject({
    server: z.string().optional(),
    name: z.string().optional(),
    method: z.string().optional(),
  }),
});

/** One record in one line. */
export function recordText(record: unknown): string {
  const { at, event, actor, target, outcome, details } = recordSchema.parse(record);
  const who = actor.id === undefined ? actor.kind : `${actor.kind}:${actor.id.slice(0, 8)}`;
  const what = [details.server, details.name ?? details.method].filter(Boolean).join(' ');
  return [at, outcome.padEnd(6), event, what === '' ? target : what, `by ${who}`].join('  ');
}
