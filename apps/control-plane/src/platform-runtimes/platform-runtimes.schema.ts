import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const count = z.int().min(0);
const time = z.iso.datetime();
const runtimeMark = z
  .string()
  .regex(/^[0-9a-f]{8}$/)
  .meta({ description: 'The mark of a worker-runtime, as the list gives it.' });

const workerSchema = z
  .strictObject({
    id: z.uuid(),
    tenant: z.strictObject({ id: z.uuid(), slug: z.string().nullable() }),
    servers: z.array(z.string()),
    exchanges: count,
    sessions: count,
    used_at: time,
  })
  .meta({ id: 'RuntimeWorker' });

const poolSchema = z
  .strictObject({ memory_mb: count, waiting: count, wanted: count })
  .meta({ id: 'WarmPool', description: 'Started workers of one size that wait for use, and how many are to wait.' });

const runtimeSchema = z
  .strictObject({
    mark: z.string(),
    state: z.enum(['taking', 'draining', 'drained', 'away']).meta({
      description: '`drained` once nothing runs there; `away` where it does not answer, or is older than this.',
    }),
    drain_ends_at: time.nullable().meta({ description: 'When what still runs on a draining one is ended.' }),
    runtime_id: z.string().nullable(),
    node: z.string().nullable(),
    started_at: time.nullable(),
    load_average: z.number().nullable(),
    cores: count.nullable(),
    memory_bytes: count.nullable(),
    worker_memory_bytes: count.nullable(),
    exchanges: count.nullable(),
    tenants: count.nullable(),
    workers: count.nullable(),
    workers_max: count.nullable(),
    pools: z.array(poolSchema).nullable(),
  })
  .meta({ id: 'Runtime', description: 'One worker-runtime; what it did not say is null.' });

const oneRuntime = z.strictObject({ runtime: runtimeSchema });
const params = z.strictObject({ runtime: runtimeMark });
const body = jsonBody(z.strictObject({ reason: reasonText }));

/** `GET /admin/v1/runtimes` */
export const listRuntimes = contract({
  summary: 'List the worker-runtimes, asked this moment: load, tenants, workers, memory.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The runtimes by their marks.',
    schema: z.strictObject({ runtimes: z.array(runtimeSchema), next_cursor: nextCursor }),
  },
});

/** `GET /admin/v1/runtimes/{runtime}/workers` */
export const listWorkers = contract({
  summary: 'List the workers of a runtime: the busiest, five hundred at most.',
  params,
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The workers.',
    schema: z.strictObject({ workers: z.array(workerSchema), next_cursor: nextCursor }),
  },
  refuses: ['unavailable'],
});

/** `POST /admin/v1/runtimes/{runtime}/drain` */
export const drainRuntime = contract({
  summary:
    'Have a runtime take no new work: calls and new sessions go to the others, and open sessions follow once they rest.',
  description:
    'Streams that only listen end at once and are opened again elsewhere. Calls go on; a session whose worker has rested for two seconds ends: its next request is answered 404, upon which clients begin another. What is left after `within_seconds` is ended. The runtime stays drained until it is resumed or starts again. The last one that takes work is not drained unless you say so, and then serves on, sessions too, while there is no other.',
  params,
  body: jsonBody(
    z.strictObject({
      even_if_last: z.boolean().default(false),
      within_seconds: z.int().min(5).max(86_400).default(600).meta({ description: 'How long calls may go on.' }),
      reason: reasonText,
    }),
  ),
  answer: { status: 200, means: 'It takes no new work.', schema: oneRuntime },
  refuses: ['conflict', 'unavailable'],
});

/** `POST /admin/v1/runtimes/{runtime}/kill` */
export const killRuntime = contract({
  summary: 'End everything that runs on a runtime at once: calls fail, sessions are gone, builds fail.',
  description:
    'Workers that wait for use are ended too. Unless `afterwards` says `serve`, the runtime takes no new work afterwards, until it is resumed or starts again; the last one that takes work starts workers anew with the next calls all the same: stop its process to end that.',
  params,
  body: jsonBody(
    z.strictObject({
      afterwards: z
        .enum(['drain', 'serve'])
        .default('drain')
        .meta({ description: 'Whether it takes new work afterwards.' }),
      reason: reasonText,
    }),
  ),
  answer: {
    status: 200,
    means: 'It has ended all that ran there.',
    schema: oneRuntime.extend({
      ended: z.strictObject({ workers: count, builds: count, tenants: count }),
    }),
  },
  refuses: ['unavailable'],
});

/** `POST /admin/v1/runtimes/{runtime}/resume` */
export const resumeRuntime = contract({
  summary: 'Have a drained runtime take work again.',
  params,
  body,
  answer: { status: 200, means: 'It takes work.', schema: oneRuntime },
  refuses: ['unavailable'],
});

/** `POST /admin/v1/tenants/{tenant}/workers/stop` */
export const stopTenantWorkers = contract({
  summary: 'End one worker of a tenant, or all on every runtime: what runs there fails, and its sessions are gone.',
  description:
    'The next call starts another. With all of them, what the runtimes know of the tenant’s secrets is forgotten.',
  params: tenantParams,
  body: jsonBody(
    z.strictObject({
      worker: z.uuid().optional().meta({ description: 'One worker alone, by its id.' }),
      reason: reasonText,
    }),
  ),
  answer: { status: 204, means: 'The workers have ended.' },
  refuses: ['unavailable', 'unprocessable'],
});
