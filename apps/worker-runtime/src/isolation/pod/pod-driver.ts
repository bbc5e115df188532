import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import type { Logger } from '#libs/telemetry';
import type { WorkerDriver, WorkerExit, WorkerOptions, WorkerProcess } from '../worker-driver.js';
import { WorkerLog } from '../worker-log.js';
import { isConflict, isPassing, reasonOf, type Cluster } from './cluster.js';
import { Orphans } from './orphans.js';
import type { PodGate } from './pod-gate.js';
import { keySecret, outletName, podManifest, type PodKeys, type PodSettings } from './pod-manifest.js';
import { PodWatch, type PodEnd } from './pod-watch.js';
import { PodWorker } from './pod-worker.js';

const ATTEMPTS = 3;
const ATTEMPT_PAUSE_MS = 500;
const AUTOPSY_MS = 3_000;
const REFUSED_MS = 1_000;
const REFUSED_MS_MAX = 30_000;

/** What a driver stands on. */
export interface PodOptions {
  readonly logger: Logger;
  readonly cluster: Cluster;
  readonly gate: PodGate;
  readonly settings: PodSettings;
  /** How long a pod may take to call us. */
  readonly startMs: number;
}

/**
 * Workers as Kubernetes pods under a sandboxing container runtime. A pod calls us back with a key that was made for it;
 * frames run over that connection. When it ends, or the cluster says that the pod has, the worker has ended.
 */
export class PodDriver implements WorkerDriver {
  readonly name = 'pod';
  readonly #options: PodOptions;
  readonly #owner = randomBytes(8).toString('hex');
  readonly #workers = new Map<string, PodWorker>();
  /** Who waits to hear why a pod has ended. */
  readonly #autopsies = new Map<string, (end: PodEnd) => void>();
  readonly #deletions = new Set<Promise<void>>();
  readonly #watch: PodWatch;
  readonly #orphans: Orphans;
  #refusals = 0;
  #startsFromMs = 0;

  private constructor(options: PodOptions) {
    const { cluster, logger } = options;
    this.#options = options;
    this.#watch = new PodWatch(cluster.follow(this.#owner), logger, (end) => this.#podEnded(end));
    this.#orphans = new Orphans(cluster, this.#owner, logger, (name) => this.#workers.has(name));
  }

  /** @throws what the cluster answers when it does not let us work */
  static async open(options: PodOptions): Promise<PodDriver> {
    const driver = new PodDriver(options);
    await driver.#orphans.start();
    await driver.#watch.start();
    return driver;
  }

  start(worker: WorkerOptions): WorkerProcess {
    const name = `wharf-worker-${randomBytes(8).toString('hex')}`;
    const { logger, startMs } = this.#options;
    const started = new PodWorker(name, { startMsMax: startMs, outlet: worker.bundles === true }, logger, (exit) =>
      this.#workerEnded(started, exit),
    );
    if (Date.now() < this.#startsFromMs) {
      logger.warn({ pod: name }, 'worker not started: the cluster has just refused another');
      started.end({ code: null, signal: null });
      return started;
    }
    this.#workers.set(name, started);
    void this.#launch(started, worker);
    return started;
  }

  async close(): Promise<void> {
    await this.#watch.stop();
    for (const worker of this.#workers.values()) worker.kill();
    await new Promise((resolve) => setImmediate(resolve)); // their ends are heard in a moment
    await Promise.all(this.#deletions);
    await this.#orphans
      .stop()
      .catch((error: unknown) =>
        this.#options.logger.warn({ reason: reasonOf(error) }, 'the lease runs out by itself'),
      );
    await this.#options.gate.close();
  }

  async #launch(worker: PodWorker, options: WorkerOptions): Promise<void> {
    const { cluster, gate, logger, settings, startMs } = this.#options;
    const late = setTimeout(() => this.#isLate(worker), startMs).unref();
    const called = (): void => {
      if (!worker.complete) return;
      clearTimeout(late);
      this.#delete(() => cluster.deleteSecret(worker.name)); // it opens nothing any more
    };
    const keys = this.#expect(worker, called);
    const plan = { ...options, name: worker.name, owner: this.#owner, port: gate.port };
    try {
      await insist(() => cluster.createSecret(keySecret(plan, keys)));
      await insist(() => cluster.createPod(podManifest(settings, plan)));
      this.#refusals = 0;
      if (!worker.alive) this.#remove(worker.name); // it was ended before it was made
    } catch (error) {
      clearTimeout(late);
      this.#refused();
      logger.error({ pod: worker.name, reason: reasonOf(error) }, 'worker could not be started');
      worker.end({ code: null, signal: null });
    }
  }

  /** Makes the keys of a pod's connections; `called` comes after each that it has opened. */
  #expect(worker: PodWorker, called: () => void): PodKeys {
    const { gate } = this.#options;
    const frames = gate.expect(worker.name, (socket) => {
      worker.connect(socket);
      called();
    });
    if (worker.outlet === undefined) return { frames, outlet: undefined };
    const outlet = gate.expect(outletName(worker.name), (socket) => {
      worker.connectOutlet(socket);
      called();
    });
    return { frames, outlet };
  }

  /** A cluster that makes no pods is asked less often. */
  #refused(): void {
    if (Date.now() < this.#startsFromMs) return;
    this.#startsFromMs = Date.now() + Math.min(REFUSED_MS_MAX, REFUSED_MS * 2 ** this.#refusals);
    this.#refusals += 1;
  }

  #isLate(worker: PodWorker): void {
    if (!worker.alive) return;
    const state = this.#watch.stateOf(worker.name);
    this.#options.logger.error({ pod: worker.name, state }, 'worker stopped: its pod did not call in time');
    worker.kill();
  }

  #podEnded(end: PodEnd): void {
    this.#autopsies.get(end.name)?.(end);
    this.#workers.get(end.name)?.end({ code: end.code, signal: null });
  }

  #workerEnded(worker: PodWorker, { signal }: WorkerExit): void {
    this.#options.gate.forget(worker.name);
    this.#options.gate.forget(outletName(worker.name));
    if (!this.#workers.delete(worker.name)) return; // it never began
    this.#delete(async () => {
      const hasRun = worker.connected || this.#watch.endOf(worker.name) !== undefined;
      if (signal === null && hasRun) await this.#logEnd(worker); // it ended by itself
      await this.#removed(worker.name);
    });
  }

  /** Why it ended, which the cluster tells a moment after its connection has closed, and what it printed. */
  async #logEnd({ name, owner }: PodWorker): Promise<void> {
    const { cluster, logger } = this.#options;
    const end = this.#watch.endOf(name) ?? (await this.#autopsy(name));
    logger.warn(
      { pod: name, tenantId: owner?.tenantId, code: end?.code, reason: end?.reason ?? 'unknown' },
      'the pod of a worker has ended',
    );
    const log = new WorkerLog(logger, { pod: name });
    if (owner !== undefined) log.assign(owner);
    const output = await cluster.readLog(name).catch(() => ''); // it never ran, or is gone with its pod
    log.drain(Readable.from([`${output}\n`]));
  }

  async #autopsy(name: string): Promise<PodEnd | undefined> {
    const told = new Promise<PodEnd>((resolve) => this.#autopsies.set(name, resolve));
    const patience = new AbortController();
    const nothing = after(AUTOPSY_MS, undefined, { signal: patience.signal, ref: false }).catch(() => undefined);
    const end = await Promise.race([told, nothing]);
    patience.abort();
    this.#autopsies.delete(name);
    return end;
  }

  #remove(name: string): void {
    this.#delete(() => this.#removed(name));
  }

  async #removed(name: string): Promise<void> {
    const { cluster } = this.#options;
    await insist(() => cluster.deletePod(name));
    await insist(() => cluster.deleteSecret(name));
  }

  /** Deletes beside everything else; what fails is left to the next sweep. */
  #delete(work: () => Promise<void>): void {
    const deletion = work()
      .catch((error: unknown) =>
        this.#options.logger.warn({ reason: reasonOf(error) }, 'a pod waits for the next sweep'),
      )
      .finally(() => this.#deletions.delete(deletion));
    this.#deletions.add(deletion);
  }
}

/** Asks again where that may help; that something is there after all is an answer to the second question. */
async function insist(ask: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt > 1 && isConflict(error)) return;
      if (attempt === ATTEMPTS || !isPassing(error)) throw error;
      await after(ATTEMPT_PAUSE_MS * attempt * (0.5 + Math.random()));
    }
  }
}
