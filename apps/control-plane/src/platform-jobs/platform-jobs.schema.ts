import { z } from 'zod';
import { QUEUES } from '#libs/jobs';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText } from '../operators/act.js';
import { nextCursor, pageCursor, pageLimit, shortList } from '../paging/cursor.js';

const count = z.int().min(0);
const queue = z.enum(QUEUES);
const jobName = z.string().regex(/^[a-z][a-z-]{0,62}$/, 'a job’s name, such as publish-release');
const body = jsonBody(z.strictObject({ reason: reasonText }));

const queueSchema = z
  .strictObject({
    queue,
    paused: z.boolean().nullable(),
    waiting: count.nullable().meta({ description: 'In Redis, as `active` and `delayed`; null while it is away.' }),
    active: count.nullable(),
    delayed: count.nullable(),
    open: count.meta({ description: 'In the database: written, and not finished yet.' }),
    oldest_seconds: z.number(),
    given_up: count.meta({ description: 'Given up within the time that finished jobs are kept, and not run again.' }),
  })
  .meta({ id: 'JobQueue' });

const jobSchema = z
  .strictObject({
    id: z.uuid(),
    tenant_id: z.uuid(),
    queue: z.string(),
    name: z.string(),
    about: z.record(z.string(), z.uuid()).meta({ description: 'The ids that it carries, and nothing else of it.' }),
    failure: z.string(),
    created_at: z.iso.datetime(),
    given_up_at: z.iso.datetime(),
  })
  .meta({ id: 'GivenUpJob' });

/** `GET /admin/v1/queues` */
export const listQueues = contract({
  summary: 'List the queues of jobs: what waits and runs, and what was given up.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The queues by name, and the mails that wait.',
    schema: z.strictObject({
      queues: z.array(queueSchema),
      mails: z.strictObject({ waiting: count, failing: count, oldest_seconds: z.number() }),
      next_cursor: nextCursor,
    }),
  },
});

/** `POST /admin/v1/queues/{queue}/pause` */
export const pauseQueue = contract({
  summary: 'Have a queue’s jobs wait: those that run end, no other begins.',
  params: z.strictObject({ queue }),
  body,
  answer: { status: 204, means: 'It is paused.' },
  refuses: ['unavailable'],
});

/** `POST /admin/v1/queues/{queue}/resume` */
export const resumeQueue = contract({
  summary: 'Have a paused queue’s jobs run again.',
  params: z.strictObject({ queue }),
  body,
  answer: { status: 204, means: 'It runs.' },
  refuses: ['unavailable'],
});

/** `GET /admin/v1/jobs` */
export const listJobs = contract({
  summary: 'List jobs that were given up: the dead letters of all queues, webhooks’ too.',
  query: z.strictObject({
    queue: queue.optional(),
    name: jobName.optional(),
    tenant_id: z.uuid().optional(),
    limit: pageLimit(200),
    cursor: pageCursor,
  }),
  answer: {
    status: 200,
    means: 'Jobs, newest first.',
    schema: z.strictObject({ jobs: z.array(jobSchema), next_cursor: nextCursor }),
  },
});

/** `POST /admin/v1/jobs/{id}/retry` */
export const retryJob = contract({
  summary: 'Have a job that was given up run again, as a new one.',
  params: z.strictObject({ id: z.uuid() }),
  body,
  answer: { status: 202, means: 'The new job’s id.', schema: z.strictObject({ job_id: z.uuid() }) },
});

/** `POST /admin/v1/jobs/retry` */
export const retryJobs = contract({
  summary: 'Have jobs of a queue that were given up run again, the oldest five hundred at most.',
  body: jsonBody(
    z.strictObject({ queue, name: jobName.optional(), tenant_id: z.uuid().optional(), reason: reasonText }),
  ),
  answer: {
    status: 202,
    means: 'How many run again, and whether more are left.',
    schema: z.strictObject({ retried: count, more: z.boolean() }),
  },
});

/** `POST /admin/v1/mails/retry` */
export const retryMails = contract({
  summary: 'Send the mails that failed again at once, without waiting for their next time.',
  body,
  answer: { status: 202, means: 'How many.', schema: z.strictObject({ retried: count }) },
});
