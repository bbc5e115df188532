import { AppError } from '#libs/errors';
import { sha256Digest, type BuildReport, type FromRunnerFrame, type FrameFailure } from '#libs/protocol';
import { Slots } from '#libs/resilience';
import type { WorkerDriver, WorkerExit } from '../isolation/worker-driver.js';

/** One release to build. Epoch milliseconds; `source` is the JSON of the source, then the artefact. */
export interface BuildOrder {
  readonly tenantId: string;
  readonly serverSlug: string;
  readonly sourceBytes: number;
  readonly payload: Buffer;
  readonly deadlineMs: number;
}

/** Hears how a build ended; exactly one is called. */
export interface BuildReply {
  onBuilt(manifest: Buffer, digest: string, report: BuildReport): void;
  onFail(failure: FrameFailure): void;
}

const MEMORY_MB = 768;
const BUILDS_MAX = 4;
const TENANT_BUILDS_MAX = 2;
/** How a process ends when its heap is full, or when it holds more than it may. */
const OUT_OF_MEMORY_SIGNALS = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGKILL']);

/** Builds releases, each in a fresh worker of its tenant that ends with it. */
export class ReleaseBuilds {
  readonly #driver: WorkerDriver;
  readonly #slots = new Slots();
  readonly #running = new Set<{ readonly tenantId: string; readonly fail: (failure: FrameFailure) => void }>();

  constructor(driver: WorkerDriver) {
    this.#driver = driver;
  }

  /** Starts a build; returns its cancel. @throws AppError unavailable when too many run */
  start(order: BuildOrder, reply: BuildReply): () => void {
    const release = this.#takeSlots(order.tenantId);
    const worker = this.#driver.start({ memoryMb: MEMORY_MB });
    let ended = false;
    const end = (tell: () => void): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      this.#running.delete(running);
      release();
      worker.kill();
      tell();
    };
    const fail = (failure: FrameFailure): void => end(() => reply.onFail(failure));
    const running = { tenantId: order.tenantId, fail };
    this.#running.add(running);
    const timer = setTimeout(() => fail({ code: 'deadline_exceeded' }), Math.max(0, order.deadlineMs - Date.now()));
    worker.assign(order, {
      onFrame: (frame, payload) =>
        settle(frame, payload, fail, (digest, report) => end(() => reply.onBuilt(payload, digest, report))),
      onExit: (exit) => fail(exitFailure(exit)),
    });
    worker.send({ t: 'build', s: 1, serverSlug: order.serverSlug, sourceBytes: order.sourceBytes }, order.payload);
    return () => fail({ code: 'unavailable' });
  }

  /** Ends a tenant's builds; they fail. */
  evict(tenantId: string): void {
    for (const running of this.#running) if (running.tenantId === tenantId) running.fail({ code: 'tenant_suspended' });
  }

  #takeSlots(tenantId: string): () => void {
    const own = this.#slots.take(tenantId, TENANT_BUILDS_MAX);
    const any = own === undefined ? undefined : this.#slots.take('', BUILDS_MAX);
    if (own === undefined || any === undefined) {
      own?.();
      throw new AppError('unavailable', {
        message: 'Too many releases are being built. Try again shortly.',
        retryAfterSeconds: 5,
      });
    }
    return () => {
      own();
      any();
    };
  }
}

function settle(
  frame: FromRunnerFrame,
  payload: Buffer,
  fail: (failure: FrameFailure) => void,
  built: (digest: string, report: BuildReport) => void,
): void {
  if (frame.t === 'fail') fail(frame.failure);
  else if (frame.t === 'built' && sha256Digest(payload) === frame.digest) built(frame.digest, frame.report);
  else if (frame.t !== 'ready') fail({ code: 'worker_failed' });
}

function exitFailure({ code, signal }: WorkerExit): FrameFailure {
  const outOfMemory = code === 134 || (signal !== null && OUT_OF_MEMORY_SIGNALS.has(signal));
  if (!outOfMemory) return { code: 'worker_failed' };
  return {
    code: 'unprocessable',
    message: 'The document needs more memory than a build may use. Select fewer operations or split it.',
  };
}
