import {
  sha256Digest,
  type BuildReport,
  type EgressContext,
  type FromRunnerFrame,
  type FrameFailure,
} from '#libs/protocol';
import type { Egress } from '../egress/egress.js';
import type { WorkerDriver, WorkerExit, WorkerProcess } from '../isolation/worker-driver.js';
import { buildFetches } from './build-fetches.js';
import { BuildQueue } from './build-queue.js';

/** One release to build. Epoch milliseconds; `source` is the JSON of the source, then the artefact. */
export interface BuildOrder {
  readonly tenantId: string;
  readonly serverSlug: string;
  readonly sourceBytes: number;
  readonly payload: Buffer;
  readonly deadlineMs: number;
  /** Set when the artefact is code, which the build starts. */
  readonly thirdParty?: true | undefined;
  /** Set when the build asks upstream servers: what egress may do for the tenant. */
  readonly context?: EgressContext | undefined;
}

/** Hears how a build ended; exactly one is called. */
export interface BuildReply {
  onBuilt(manifest: Buffer, digest: string, report: BuildReport): void;
  onFail(failure: FrameFailure): void;
}

const MEMORY_MB = 1_024;
const BUILDS = { runningMax: 4, tenantMax: 2, waitingMax: 100 };
/** How a process ends when its heap is full, or when it holds more than it may. */
const OUT_OF_MEMORY_SIGNALS = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV', 'SIGKILL']);

/** Builds releases, each in a fresh worker of its tenant that ends with it. */
export class ReleaseBuilds {
  readonly #driver: WorkerDriver;
  readonly #egress: Egress;
  readonly #assertThirdParty: () => void;
  readonly #queue = new BuildQueue(BUILDS);
  readonly #open = new Set<{ readonly tenantId: string; readonly fail: (failure: FrameFailure) => void }>();

  /** `assertThirdParty` throws where code of others may not run. */
  constructor(driver: WorkerDriver, egress: Egress, assertThirdParty: () => void) {
    this.#egress = egress;
    this.#driver = driver;
    this.#assertThirdParty = assertThirdParty;
  }

  /** Starts a build when it is its tenant's turn; returns its cancel. @throws AppError unavailable when too many wait, or code of others may not run here */
  start(order: BuildOrder, reply: BuildReply): () => void {
    if (order.thirdParty === true) this.#assertThirdParty();
    let ended = false;
    let worker: WorkerProcess | undefined;
    const end = (tell: () => void): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      this.#open.delete(open);
      leave();
      worker?.kill();
      tell();
    };
    const fail = (failure: FrameFailure): void => end(() => reply.onFail(failure));
    const built = (manifest: Buffer, digest: string, report: BuildReport): void =>
      end(() => reply.onBuilt(manifest, digest, report));
    const open = { tenantId: order.tenantId, fail };
    const leave = this.#queue.enter(order.tenantId, () => {
      worker = this.#run(order, fail, built);
    });
    const timer = setTimeout(() => fail({ code: 'deadline_exceeded' }), Math.max(0, order.deadlineMs - Date.now()));
    this.#open.add(open);
    return () => fail({ code: 'unavailable' });
  }

  /** Ends a tenant's builds; they fail. */
  evict(tenantId: string): void {
    for (const open of this.#open) if (open.tenantId === tenantId) open.fail({ code: 'tenant_suspended' });
  }

  #run(order: BuildOrder, fail: (failure: FrameFailure) => void, built: BuildReply['onBuilt']): WorkerProcess {
    const worker = this.#driver.start({ memoryMb: MEMORY_MB, ...(order.thirdParty === true ? { bundles: true } : {}) });
    const fetches = order.context && buildFetches(worker, order, order.context, this.#egress);
    worker.assign(order, {
      onFrame: (frame, payload) => {
        if (fetches?.receive(frame, payload) !== true) settle(frame, payload, fail, built);
      },
      onExit: (exit) => {
        fetches?.end();
        fail(exitFailure(exit));
      },
    });
    worker.send({ t: 'build', s: 1, serverSlug: order.serverSlug, sourceBytes: order.sourceBytes }, order.payload);
    return worker;
  }
}

function settle(
  frame: FromRunnerFrame,
  payload: Buffer,
  fail: (failure: FrameFailure) => void,
  built: BuildReply['onBuilt'],
): void {
  if (frame.t === 'fail') fail(frame.failure);
  else if (frame.t === 'built' && sha256Digest(payload) === frame.digest) built(payload, frame.digest, frame.report);
  else if (frame.t !== 'ready') fail({ code: 'worker_failed' });
}

function exitFailure({ signal }: WorkerExit): FrameFailure {
  if (signal === null || !OUT_OF_MEMORY_SIGNALS.has(signal)) return { code: 'worker_failed' };
  return {
    code: 'unprocessable',
    message: 'The document needs more memory than a build may use. Select fewer operations or split it.',
  };
}
