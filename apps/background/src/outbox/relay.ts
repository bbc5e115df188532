import { unlessAway, type Database } from '#libs/database';
import { claimJobs, dispatchedJobs, returnJobs, type OutboxJob } from '#libs/jobs';
import { Rounds } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';
import type { JobRunner } from '../jobs/job-runner.js';
import { addJobs, presenceOf, type Queues } from './queues.js';

const BATCH = 100;
const POLL_MS = 5_000;
const RECOVER_EVERY_MS = 10_000;

/**
 * Hands jobs from the outbox to the queues, and again when a queue has lost them.
 *
 *     waiting ── claimed ──► dispatched ── run ──► closed (done, or with a failure)
 *        ▲                     │     ▲
 *        └── queue said no ────┘     └── queue lost it: added again
 *
 * The claim is committed before the queue is asked, because no transaction waits for the network. A crash between the
 * two leaves a dispatched row that no queue knows, which `recover` finds. The outbox id is the queue's job id, so
 * adding twice is adding once.
 */
export class OutboxRelay {
  readonly #rounds = new Rounds({
    everyMs: POLL_MS,
    round: () => this.#round(),
    onFailed: (error) => this.logger.warn({ err: error }, 'outbox relay failed; trying again'),
  });
  #recoverAt = 0;

  constructor(
    private readonly database: Database,
    private readonly queues: Queues,
    private readonly runner: JobRunner,
    private readonly logger: Logger,
    private readonly region: string | undefined = undefined,
  ) {}

  /** Begins: recovers what an earlier run left behind, then relays at every ring and every five seconds. */
  start(): void {
    this.#rounds.start();
  }

  /** Says that the outbox has new rows. */
  ring(): void {
    this.#rounds.ring();
  }

  /** Ends after the batch in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Dispatches every waiting job; returns how many. @throws when a queue or the database does not answer. */
  async relay(): Promise<number> {
    let dispatched = 0;
    while (!this.#rounds.signal.aborted) {
      const claimed = await this.database.everywhere((tx) => claimJobs(tx, BATCH, this.region));
      const jobs = claimed.flat();
      if (jobs.length > 0) await this.#dispatch(jobs);
      dispatched += jobs.length;
      if (jobs.length < BATCH) break;
    }
    return dispatched;
  }

  /** Adds again the dispatched jobs that their queue has lost, and closes those it has given up; returns how many. */
  async recover(): Promise<number> {
    let recovered = 0;
    let after: string | undefined;
    while (!this.#rounds.signal.aborted) {
      const from = after;
      const found = await this.database.everywhere((tx) =>
        dispatchedJobs(tx, { after: from, max: BATCH, region: this.region }),
      );
      const jobs = found.flat().toSorted(byId).slice(0, BATCH);
      for (const job of jobs) recovered += await this.#recoverOne(job);
      after = jobs.at(-1)?.id;
      if (jobs.length < BATCH) break;
    }
    if (recovered > 0) this.logger.warn({ recovered }, 'jobs recovered from the outbox');
    return recovered;
  }

  async #dispatch(jobs: readonly OutboxJob[]): Promise<void> {
    try {
      await addJobs(this.queues, jobs);
    } catch (error) {
      await this.database.everywhere((tx) => returnJobs(tx, jobs));
      throw error;
    }
  }

  async #recoverOne(job: OutboxJob): Promise<number> {
    const presence = await presenceOf(this.queues, job);
    if (presence === 'present') return 0;
    if (presence === 'absent') await addJobs(this.queues, [job]);
    else await unlessAway(this.runner.giveUp(job, 'The job was given up after its runs were cut off.'));
    return 1;
  }

  /** What was claimed and not queued is found by `recover`, so neither waits for the other's success. */
  async #round(): Promise<void> {
    try {
      await this.relay();
    } finally {
      if (performance.now() >= this.#recoverAt) {
        await this.recover();
        this.#recoverAt = performance.now() + RECOVER_EVERY_MS;
      }
    }
  }
}

/** As PostgreSQL orders ids: what each database gave of a page is in that order. */
function byId(left: OutboxJob, right: OutboxJob): number {
  return left.id < right.id ? -1 : Number(left.id > right.id);
}
