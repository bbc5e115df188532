import { Queue, Worker } from 'bullmq';
import { Database, newId } from '#libs/database';
import { enqueue, evictTenantJob, QUEUES } from '#libs/jobs';
import { openForQueues, queuePrefix } from '#libs/redis';
import { createLogger } from '#libs/telemetry';
import { testDatabase, testRedis } from '#libs/testing';
import type { JobHandler, JobRun } from '../jobs/job-handler.js';
import { WORKER_OPTIONS } from '../jobs/job-processor.js';
import { JobRunner } from '../jobs/job-runner.js';
import { TenantsProcessor } from '../tenants/tenants.processor.js';
import type { Queues } from './queues.js';
import { OutboxRelay } from './relay.js';

/** A database, a Redis and what moves jobs between them, with the test's own handler for one kind of job. */
export async function openWorkbench() {
  const [store, redis] = await Promise.all([testDatabase(), testRedis()]);
  const closing: Array<() => Promise<unknown>> = [];
  const background = await Database.connect({ ...store, role: 'wharf_background' });
  const control = await Database.connect({ ...store, role: 'wharf_control' });
  const {
    connection,
    prefix,
    close: closeRedis,
  } = openForQueues(redis.redisUrl, queuePrefix(undefined), () => undefined);
  const queuesOf = (region: string | undefined): Queues => {
    const of = (name: (typeof QUEUES)[number]): Queue => {
      const queue = new Queue(name, { connection, prefix: queuePrefix(region) });
      closing.push(() => queue.close());
      return queue;
    };
    return {
      releases: of('releases'),
      tenants: of('tenants'),
      webhooks: of('webhooks'),
      probes: of('probes'),
      drift: of('drift'),
    };
  };
  const logger = createLogger('background', 'silent');
  const queues = queuesOf(undefined);

  return {
    background,
    control,
    queues,
    flushRedis: () => redis.flush(),

    /** A relay and runner of one process; jobs are handed to `run`. */
    process(run: (run: JobRun) => Promise<void>, giveUp?: (reason: string) => void, region?: string) {
      const handler: JobHandler<{ tenantId: string }> = {
        definition: evictTenantJob,
        run: (_payload, jobRun) => run(jobRun),
        giveUp: async (_payload, _run, reason) => giveUp?.(reason),
      };
      const runner = new JobRunner(background, [handler], logger, region);
      const own = region === undefined ? queues : queuesOf(region);
      const relay = new OutboxRelay(background, own, runner, logger, region);
      return { runner, relay };
    },

    /** A queue worker of one process; `ended` resolves when so many jobs have completed or failed for good. */
    work(runner: JobRunner, jobs: number, region?: string) {
      const processor = new TenantsProcessor(runner, logger);
      const worker = new Worker('tenants', (job, token) => processor.process(job, token), {
        ...WORKER_OPTIONS,
        connection,
        prefix: region === undefined ? prefix : queuePrefix(region),
      });
      closing.push(() => worker.close());
      const ended = new Promise<void>((resolve) => {
        let left = jobs;
        const count = (): void => void ((left -= 1) === 0 && resolve());
        worker
          .on('completed', count)
          .on('failed', count)
          .on('error', () => {});
      });
      return { worker, ended };
    },

    async newTenant(region: string | null = null): Promise<string> {
      const id = newId();
      await control.asTenant(id, (tx) =>
        tx.query(`insert into tenants (id, slug, name, home_region) values ($1, $2, 'T', $3)`, [id, `t-${id}`, region]),
      );
      return id;
    },

    /** Has another region serve a tenant. */
    async move(tenantId: string, region: string): Promise<void> {
      const operators = await Database.connect({ ...store, role: 'wharf_operator' });
      await operators.asService((tx) =>
        tx.query(`update tenants set home_region = $2 where id = $1`, [tenantId, region]),
      );
      await operators.close();
    },

    enqueue: (tenantId: string) =>
      control.asTenant(tenantId, (tx) => enqueue(tx, tenantId, evictTenantJob, { tenantId })),

    /** Every row of a tenant's outbox. */
    rows: (
      tenantId: string,
    ): Promise<Array<{ id: string; dispatched: boolean; closed: boolean; failure: string | null }>> =>
      background.asTenant(tenantId, (tx) =>
        tx.query(
          `select id, dispatched_at is not null as dispatched, completed_at is not null as closed, failure
           from outbox where tenant_id = $1 order by id`,
          [tenantId],
        ),
      ),

    async close() {
      await Promise.all(closing.map((close) => close()));
      closeRedis();
      await Promise.all([background.close(), control.close()]);
      await store.drop();
    },
  };
}

/** The workbench of one test file. */
export type Workbench = Awaited<ReturnType<typeof openWorkbench>>;
