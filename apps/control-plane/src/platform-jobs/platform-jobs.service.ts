import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { QUEUES, type QueueName } from '#libs/jobs';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { OperatorOrders } from '../operator-orders/operator-orders.service.js';
import { actOf, lookOf } from '../operators/act.js';
import { newestFirst, pageByKey, pageOf } from '../paging/cursor.js';
import { PlatformTenantsRepository } from '../platform-tenants/platform-tenants.repository.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import {
  PlatformJobsRepository,
  type GivenUpFilter,
  type GivenUpRow,
  type QueueRow,
} from './platform-jobs.repository.js';
import type { listJobs, listQueues, retryJob, retryJobs, retryMails } from './platform-jobs.schema.js';
import { QueueSwitches, redisAway } from './queue-switches.js';

const RETRIED_MAX = 500;
const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** What operators see of jobs, and do about those that were given up. What a job carries is ids; nothing else is shown. */
@Injectable()
export class PlatformJobsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsRepository) private readonly tenants: PlatformTenantsRepository,
    @Inject(PlatformJobsRepository) private readonly jobs: PlatformJobsRepository,
    @Inject(QueueSwitches) private readonly switches: QueueSwitches,
    @Inject(OperatorOrders) private readonly orders: OperatorOrders,
  ) {}

  async queues(
    caller: OperatorCaller,
    query: InputOf<typeof listQueues>['query'],
  ): Promise<AnswerOf<typeof listQueues>> {
    const look = lookOf(caller, 'queues.list');
    const rows = (await this.database.asOperatorEverywhere(look, (tx) => this.jobs.queues(tx))).flat();
    const mails = await this.database.asService((tx) => this.jobs.mails(tx));
    const page = pageByKey(QUEUES, (name) => name, 'ascending', query);
    const queues = page.rows.map(async (queue) => {
      const state = await this.switches.find(queue);
      const ofQueue = rows.filter((row) => row.queue === queue);
      const { paused = null, waiting = null, active = null, delayed = null } = state ?? {};
      return { queue, paused, waiting, active, delayed, ...sumOf(ofQueue) };
    });
    return { queues: await Promise.all(queues), mails, next_cursor: page.next };
  }

  /** @throws AppError unavailable */
  async switch(caller: OperatorCaller, queue: QueueName, to: 'paused' | 'running', reason: string): Promise<void> {
    const action = to === 'paused' ? 'queues.pause' : 'queues.resume';
    const act = actOf(caller, { action, reason, details: { queue } });
    await this.orders.give({ act }, async (note) => {
      const before = await this.switches.find(queue);
      // A switch that is asked for while nobody answers would be thrown when Redis is back, long after it was refused.
      if (before === undefined) throw redisAway();
      await this.switches.set(queue, to);
      if (before.paused === (to === 'paused')) note.unchanged();
    });
  }

  async list(
    caller: OperatorCaller,
    { limit, cursor, ...of }: InputOf<typeof listJobs>['query'],
  ): Promise<AnswerOf<typeof listJobs>> {
    const found = await this.database.asOperatorEverywhere(lookOf(caller, 'jobs.list'), (tx) =>
      this.jobs.list(tx, of, { limit: limit + 1, cursor }),
    );
    const rows = newestFirst(found.flat()).slice(0, limit + 1);
    const page = pageOf(rows, limit);
    return { jobs: page.rows.map(view), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async retry(caller: OperatorCaller, id: string, reason: string): Promise<AnswerOf<typeof retryJob>> {
    const [next] = (await this.#retry(caller, { id }, reason)).made;
    if (next === undefined) throw new AppError('not_found');
    return { job_id: next };
  }

  async retryAll(
    caller: OperatorCaller,
    { reason, ...of }: InputOf<typeof retryJobs>['body'],
  ): Promise<AnswerOf<typeof retryJobs>> {
    const { made, more } = await this.#retry(caller, of, reason);
    return { retried: made.length, more };
  }

  async retryMails(caller: OperatorCaller, reason: string): Promise<AnswerOf<typeof retryMails>> {
    const act = actOf(caller, { action: 'mails.retry', reason });
    return this.database.asOperator(act, async (tx, note) => {
      const retried = await this.jobs.hastenMails(tx);
      note.tell({ retried });
      if (retried === 0) note.unchanged();
      return { retried };
    });
  }

  async #retry(
    caller: OperatorCaller,
    of: GivenUpFilter,
    reason: string,
  ): Promise<{ readonly made: readonly string[]; readonly more: boolean }> {
    const act = actOf(caller, { action: 'jobs.retry', reason, details: { ...of } });
    // In each database by itself: how many there were is known when all have been asked.
    return this.orders.give({ act }, async (note) => {
      const done = await this.#retryEverywhere(of);
      note.tell({ retried: done.made.length });
      if (done.made.length === 0) note.unchanged();
      return done;
    });
  }

  async #retryEverywhere(of: GivenUpFilter): Promise<{ readonly made: readonly string[]; readonly more: boolean }> {
    const done = await this.database.everywhere(async (tx) => {
      const found = await this.jobs.oldest(tx, of, RETRIED_MAX + 1);
      const made: string[] = [];
      for (const { id, tenant_id: tenantId } of found.slice(0, RETRIED_MAX)) {
        await this.tenants.enter(tx, tenantId);
        const next = await this.jobs.retry(tx, tenantId, id);
        if (next !== undefined) made.push(next);
      }
      return { found: found.length, made };
    });
    if (of.id !== undefined && done.every(({ found }) => found === 0)) throw new AppError('not_found');
    return { made: done.flatMap(({ made }) => made), more: done.some(({ found }) => found > RETRIED_MAX) };
  }
}

function sumOf(rows: readonly QueueRow[]): Omit<QueueRow, 'queue'> {
  return {
    open: rows.reduce((sum, row) => sum + row.open, 0),
    oldest_seconds: Math.max(0, ...rows.map((row) => row.oldest_seconds)),
    given_up: rows.reduce((sum, row) => sum + row.given_up, 0),
  };
}

function view({ payload, completed_at: at, ...row }: GivenUpRow): AnswerOf<typeof listJobs>['jobs'][number] {
  const ids = Object.entries(payload).filter((entry): entry is [string, string] => ID.test(String(entry[1])));
  return {
    ...row,
    about: Object.fromEntries(ids),
    created_at: row.created_at.toISOString(),
    given_up_at: at.toISOString(),
  };
}
