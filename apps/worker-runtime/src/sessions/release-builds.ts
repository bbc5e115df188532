import {
  builtParts,
  sha256Digest,
  type BuildReport,
  type Eviction,
  type FromRunnerFrame,
  type FrameFailure,
} from '#libs/protocol';
import type { Egress } from '../egress/egress.js';
import type { WorkerDriver, WorkerExit, WorkerProcess } from '../isolation/worker-driver.js';
import { buildFetches } from './build-fetches.js';
import { BuildQueue } from './build-queue.js';
import type { RegistryOutlet } from './registry-outlet.js';
import type { BuildOrder } from './build-order.js';

/** Hears how a build ended; exactly one is called. */
export interface BuildReply {
  /** `archive` is what the build has packed, if it did. */
  onBuilt(manifest: Buffer, digest: string, report: BuildReport, archive?: Buffer): void;
  onFail(failure: FrameFailure): void;
}

const MEMORY_MB = 1_024;
const BUILDS = { runningMax: 4, tenantMax: 2, waitingMax: 100 };
/** How a process ends when its heap is full, or when it holds more than it may. */
const OUT_OF_MEMORY_SIGNALS = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV', 'SIGKILL']);

/** What builds stand on. */
export interface BuildRooms {
  readonly driver: WorkerDriver;
  readonly egress: Egress;
  /** Throws where code of others may not run. */
  readonly assertThirdParty: () => void;
  readonly registry: RegistryOutlet;
}

/** Builds releases, each in a fresh worker of its tenant that ends with it. */
export class ReleaseBuilds {
  readonly #driver: WorkerDriver;
  readonly #egress: Egress;
  readonly #assertThirdParty: () => void;
  readonly #registry: RegistryOutlet;
  readonly #queue = new BuildQueue(BUILDS);
  readonly #open = new Set<{ readonly tenantId: string; readonly fail: (failure: FrameFailure) => void }>();

  constructor({ driver, egress, assertThirdParty, registry }: BuildRooms) {
    this.#egress = egress;
    this.#driver = driver;
    this.#registry = registry;
    this.#assertThirdParty = assertThirdParty;
  }

  /** Starts a build when it is its tenant's turn; returns its cancel. @throws AppError unavailable when too many wait, or code of others may not run here */
  start(order: BuildOrder, reply: BuildReply): () => void {
    if (order.thirdParty !== undefined) this.#assertThirdParty();
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
    const built: BuildReply['onBuilt'] = (...parts) => end(() => reply.onBuilt(...parts));
    const open = { tenantId: order.tenantId, fail };
    const leave = this.#queue.enter(order.tenantId, () => {
      worker = this.#run(order, fail, built);
    });
    const timer = setTimeout(() => fail({ code: 'deadline_exceeded' }), Math.max(0, order.deadlineMs - Date.now()));
    this.#open.add(open);
    return () => fail({ code: 'unavailable' });
  }

  /** Ends a tenant's builds; they fail, and are told why. */
  evict(tenantId: string, why: Eviction): void {
    const code = why === 'suspended' ? 'tenant_suspended' : 'worker_failed';
    for (const open of this.#open) if (open.tenantId === tenantId) open.fail({ code });
  }

  /** Ends every build; they fail. Returns whose they were. */
  kill(): string[] {
    const open = [...this.#open];
    for (const { fail } of open) fail({ code: 'unavailable', retryAfterSeconds: 1 });
    return open.map(({ tenantId }) => tenantId);
  }

  #run(order: BuildOrder, fail: (failure: FrameFailure) => void, built: BuildReply['onBuilt']): WorkerProcess {
    const { thirdParty, tenantId, serverSlug, sourceBytes } = order;
    const worker = this.#driver.start({
      memoryMb: MEMORY_MB,
      ...(thirdParty === undefined ? {} : { bundles: true }),
      ...(thirdParty === 'npm' ? { installs: true } : {}),
    });
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
    const installs = thirdParty === 'npm' ? this.#openRegistry(worker, tenantId) : {};
    if (installs === undefined)
      fail({ code: 'unavailable', message: 'Packages cannot be installed here. Pack the server as an MCP bundle.' });
    else worker.send({ t: 'build', s: 1, serverSlug, sourceBytes, ...installs }, order.payload);
    return worker;
  }

  #openRegistry({ outlet }: WorkerProcess, tenantId: string): { readonly registryUrl: string } | undefined {
    return outlet && { registryUrl: this.#registry.open(outlet, tenantId) };
  }
}

function settle(
  frame: FromRunnerFrame,
  payload: Buffer,
  fail: (failure: FrameFailure) => void,
  built: BuildReply['onBuilt'],
): void {
  if (frame.t === 'fail') fail(frame.failure);
  else if (frame.t === 'built') settleBuilt(frame, payload, fail, built);
  else if (frame.t !== 'ready') fail({ code: 'worker_failed' });
}

function settleBuilt(
  { digest, report, archiveBytes }: Extract<FromRunnerFrame, { t: 'built' }>,
  payload: Buffer,
  fail: (failure: FrameFailure) => void,
  built: BuildReply['onBuilt'],
): void {
  const { manifest, archive } = builtParts(payload, archiveBytes);
  if (sha256Digest(manifest) === digest) built(manifest, digest, report, archive);
  else fail({ code: 'worker_failed' });
}

function exitFailure({ signal }: WorkerExit): FrameFailure {
  if (signal === null || !OUT_OF_MEMORY_SIGNALS.has(signal)) return { code: 'worker_failed' };
  return {
    code: 'unprocessable',
    message: 'This needs more memory than a build may use. Select fewer operations, or make it smaller.',
  };
}
