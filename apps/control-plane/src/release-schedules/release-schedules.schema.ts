import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { moment } from '../contract/times.js';
import { serverParams } from '../servers/servers.schema.js';

const WINDOWS_MAX = 10;

const time = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/)
  .meta({ description: '`HH:MM`, on the clocks of the time zone.' });

const windowSchema = z
  .strictObject({
    days: z
      .array(z.int().min(1).max(7))
      .min(1)
      .max(7)
      .refine((days) => new Set(days).size === days.length, 'each day once')
      .meta({ description: '1 is Monday, 7 Sunday.' }),
    from: time,
    until: time.meta({ description: 'Later than `from`; `24:00` is the end of the day.' }),
    time_zone: z.string().max(64).refine(isTimeZone, 'a time zone of the IANA database, such as Europe/Berlin'),
  })
  .refine(({ from, until }) => from < until, { path: ['until'], message: 'must be later than `from`' });

const scheduleSchema = z
  .strictObject({
    windows: z.array(windowSchema).max(WINDOWS_MAX).meta({ description: 'None: releases may go out at any time.' }),
    freeze: z
      .strictObject({
        reason: z.string().trim().min(1).max(500),
        until: moment.nullable().meta({ description: 'Null: until somebody lifts it.' }),
      })
      .nullable()
      .meta({ description: 'While it lasts, nothing goes out.' }),
  })
  .meta({ id: 'ReleaseSchedule' });

/** A schedule as the API takes and shows it. */
export type ScheduleBody = z.output<typeof scheduleSchema>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const answered = z.strictObject({
  schedule: scheduleSchema,
  hold: z.string().nullable().meta({ description: 'Why nothing may go out now; null where it may.' }),
});

/** `GET /v1/servers/{server}/release-schedule` */
export const getReleaseSchedule = contract({
  summary: 'Show when a server’s releases may go out.',
  params: serverParams,
  etag: 'shown',
  tagged: ['schedule'],
  answer: { status: 200, means: 'Its windows and its freeze.', schema: answered },
});

/** `PUT /v1/servers/{server}/release-schedule` */
export const changeReleaseSchedule = contract({
  summary: 'Say when a server’s releases may go out, or freeze them.',
  description:
    'Outside of its windows and while it is frozen, publishing and rollouts are refused with 409 unless they say `override_schedule`, and the next step of a rollout waits. Rollbacks, pauses and aborts are always possible.',
  params: serverParams,
  body: jsonBody(scheduleSchema),
  etag: 'compared',
  tagged: ['schedule'],
  answer: { status: 200, means: 'The schedule that holds from now on.', schema: answered },
});
