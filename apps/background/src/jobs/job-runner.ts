import { TenantAway, type Database } from '#libs/database';
import { toAppError } from '#libs/errors';
import { closeJob, findOpenJob, payloadOf, returnJobs, type OpenJob } from '#libs/jobs';
import { withDeadline } from '#libs/resilience';
import { meter, type Logger } from '#libs/telemetry';
import { JobDeferred, JobRefused, type JobHandler, type JobRun } from './job-handler.js';

const RUN_MS = 60_000;
/** While a platform is upgraded, a newer service asks for jobs that only a newer background knows. */
const UNKNOWN_NAME_MS = 24 * 60 * 60 * 1_000;

/** Which job a queue brings; everything else about it is read from the outbox. */
export interface JobKey {
  readonly tenantId: string;
  readonly id: string;
}

/**
 * How a run ended. `retry` is an error with attempts left; `stopping` says that the run was cut off by our own stop,
 * `deferred` that there was no room for it, that its tenant is away, or that its name is unknown here yet, `elsewhere` that its tenant is at home in another
 * region by now, whose relays find it again.
 */
type RunOutcome = 'done' | 'already-closed' | 'elsewhere' | 'given-up' | 'retry' | 'stopping' | 'deferred';

/** The end of one run, with the reason when it did not succeed. */
export interface RunResult {
  readonly outcome: RunOutcome;
  readonly reason?: string;
}

/** Runs handlers on outbox jobs and closes the jobs; the queue only says which job and which attempt. */
export class JobRunner {
  readonly #handlers: ReadonlyMap<string, JobHandler>;
  readonly #stopping = new AbortController();
  readonly #runs = meter('background').createHistogram('wharf_job_run_seconds', {
    description: 'Runs of background jobs, by name and outcome.',
    unit: 's',
    advice: { explicitBucketBoundaries: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300] },
  });

  constructor(
    private readonly database: Database,
    handlers: readonly JobHandler[],
    private readonly logger: Logger,
    private readonly region: string | undefined = undefined,
  ) {
    this.#handlers = new Map(handlers.map((handler) => [handler.definition.name, handler]));
  }

  /** Runs a job unless it is closed already. Throws only where the database cannot be reached. */
  async run(key: JobKey, lastAttempt: 'last' | 'more-left'): Promise<RunResult> {
    const started = performance.now();
    const job = await this.#find(key).catch((error: unknown) =>
      error instanceof TenantAway ? 'away' : Promise.reject(error),
    );
    if (job === 'away') return { outcome: 'deferred' };
    if (job === undefined) return { outcome: 'already-closed' };
    if (!job.atHome) return this.#giveBack(key);
    const deadline = withDeadline(this.#handlers.get(job.name)?.runMs ?? RUN_MS, this.#stopping.signal);
    const result = await this.#attempt(job, deadline.signal, lastAttempt).finally(() => deadline.done());
    if (result.outcome !== 'deferred') this.#report(job, result, (performance.now() - started) / 1_000);
    return result;
  }

  /** Closes a job that its queue will not run again, such as one whose every run took the process down. */
  async giveUp(key: JobKey, reason: string): Promise<void> {
    const job = await this.#find(key);
    if (job === undefined) return;
    if (!job.atHome) return void (await this.#giveBack(key));
    const deadline = withDeadline(RUN_MS, this.#stopping.signal);
    await this.#giveUp(job, deadline.signal, reason).finally(() => deadline.done());
    this.#report(job, { outcome: 'given-up', reason }, 0);
  }

  /** Tells running handlers to end; their jobs run again later. */
  stop(): void {
    this.#stopping.abort(new Error('The service is stopping.'));
  }

  #find(key: JobKey): Promise<OpenJob | undefined> {
    return this.database.asTenant(key.tenantId, (tx) => findOpenJob(tx, key, this.region));
  }

  async #giveBack(key: JobKey): Promise<RunResult> {
    await this.database.asTenant(key.tenantId, (tx) => returnJobs(tx, [key]));
    return { outcome: 'elsewhere' };
  }

  async #attempt(job: OpenJob, signal: AbortSignal, lastAttempt: 'last' | 'more-left'): Promise<RunResult> {
    try {
      await this.#do(job, signal);
      await this.#close(job);
      return { outcome: 'done' };
    } catch (error) {
      if (this.#stopping.signal.aborted) return { outcome: 'stopping' };
      if (error instanceof JobDeferred || error instanceof TenantAway) return { outcome: 'deferred' };
      const reason = reasonOf(error);
      this.logger.warn({ err: error, job: job.name, job_id: job.id, tenant_id: job.tenantId }, 'job run failed');
      if (lastAttempt === 'more-left' && !(error instanceof JobRefused)) return { outcome: 'retry', reason };
      await this.#giveUp(job, signal, reason);
      return { outcome: 'given-up', reason };
    }
  }

  async #do(job: OpenJob, signal: AbortSignal): Promise<void> {
    const handler = this.#handlers.get(job.name);
    if (handler === undefined) throw this.#unknown(job);
    await handler.run(payloadOf(handler.definition, job), runOf(job, signal));
  }

  /** A background of the next release, beside this one or after it, may know what this one does not. */
  #unknown({ name, id, tenantId, createdAt }: OpenJob): Error {
    const reason = `No handler knows jobs named ${name}.`;
    if (Date.now() - createdAt.getTime() > UNKNOWN_NAME_MS) return new JobRefused(reason);
    this.logger.warn(
      { job: name, job_id: id, tenant_id: tenantId },
      'a job that no handler knows waits for a newer service',
    );
    return new JobDeferred(reason);
  }

  async #giveUp(job: OpenJob, signal: AbortSignal, reason: string): Promise<void> {
    const handler = this.#handlers.get(job.name);
    await handler?.giveUp?.(payloadOf(handler.definition, job), runOf(job, signal), reason);
    await this.#close(job, reason);
  }

  async #close(job: OpenJob, failure?: string): Promise<void> {
    await this.database.asTenant(job.tenantId, (tx) => closeJob(tx, job.tenantId, job.id, failure));
  }

  #report(job: OpenJob, result: RunResult, seconds: number): void {
    this.#runs.record(seconds, { job: job.name, outcome: result.outcome });
    this.logger.info(
      { job: job.name, job_id: job.id, tenant_id: job.tenantId, ...result, seconds: Number(seconds.toFixed(3)) },
      'job run ended',
    );
  }
}

function runOf(job: OpenJob, signal: AbortSignal): JobRun {
  return { jobId: job.id, requestedAt: job.createdAt, signal };
}

/** The public sentence of an error: a handler's own reason, or the catalogue's. */
function reasonOf(error: unknown): string {
  return error instanceof JobRefused ? error.message : toAppError(error).message;
}
