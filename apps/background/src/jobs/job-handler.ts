import type { JobDefinition } from '#libs/jobs';

/** What a handler knows about the run it is in. */
export interface JobRun {
  readonly jobId: string;
  /** When the job was written to the outbox. */
  readonly requestedAt: Date;
  /** Fires at the run's deadline and when the service must stop. */
  readonly signal: AbortSignal;
}

/**
 * Does one kind of job. A run may be repeated at any time, also after one that did everything but say so: both
 * methods must leave the same behind however often they run.
 */
export interface JobHandler<Payload = unknown> {
  readonly definition: JobDefinition<Payload>;
  /** How long a run may take; a minute where nothing is said. */
  readonly runMs?: number;
  /** Does the job. Throws to be tried again; `JobRefused` where trying again cannot help. */
  run(payload: Payload, run: JobRun): Promise<void>;
  /** Leaves things in order when the job will not be tried again. */
  giveUp?(payload: Payload, run: JobRun, reason: string): Promise<void>;
}

/** Thrown by a handler that has no room for its job now: it runs again later, and no attempt is counted. */
export class JobDeferred extends Error {
  override readonly name = 'JobDeferred';
}

/** Thrown by a handler when its job can never succeed; the message is the public reason. */
export class JobRefused extends Error {
  override readonly name = 'JobRefused';
}
