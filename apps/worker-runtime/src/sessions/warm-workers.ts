import type { WarmPool } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import type { WorkerDriver, WorkerProcess } from '../isolation/worker-driver.js';

const LOOK_MS = 2_000;
/** Long enough for the call that took one to be answered first; each start keeps this thread for some milliseconds. */
const START_EVERY_MS = 100;
/** A worker that has waited this long has come up. */
const COMES_UP_MS = 10_000;
const DELAY_MS = 1_000;
const DELAY_MS_MAX = 30_000;
/** A size that nobody has asked for in this time is not kept. */
const FORGET_MS = 600_000;
const SIZES_MAX = 4;

interface Waiting {
  readonly worker: WorkerProcess;
  readonly startedAtMs: number;
}

interface Shelf {
  waiting: Waiting[];
  askedAtMs: number;
}

/**
 * Started workers that nobody has used yet, so that a first call does not wait for a process to start. A worker's
 * memory is fixed when it starts, so they wait by size: the default always, others while tenants ask for them. They are
 * started one at a time, between calls; where they end before anybody needs them, ever later: 1 s, 2 s, 4 s … 30 s.
 */
export class WarmWorkers {
  readonly #driver: WorkerDriver;
  readonly #logger: Logger;
  readonly #count: number;
  readonly #defaultMb: number;
  readonly #timer: NodeJS.Timeout;
  readonly #shelves = new Map<number, Shelf>();
  #next: NodeJS.Timeout | undefined;
  #failures = 0;
  #startsFromMs = 0;

  constructor(driver: WorkerDriver, count: number, memoryMb: number, logger: Logger) {
    this.#driver = driver;
    this.#logger = logger;
    this.#count = count;
    this.#defaultMb = memoryMb;
    this.#shelves.set(memoryMb, { waiting: [], askedAtMs: 0 });
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
    this.#startMissing();
  }

  /** A worker of a size, without one the default, for one tenant's exclusive use. */
  take(memoryMb = this.#defaultMb): WorkerProcess {
    const shelf = this.#shelves.get(memoryMb) ?? { waiting: [], askedAtMs: 0 };
    if (this.#shelves.size < SIZES_MAX) this.#shelves.set(memoryMb, shelf);
    shelf.askedAtMs = Date.now();
    this.#startSoon();
    return this.#takeAlive(shelf) ?? this.#driver.start({ memoryMb });
  }

  /** How many wait, by their size. */
  list(): WarmPool[] {
    return [...this.#shelves].map(([memoryMb, { waiting }]) => ({
      memoryMb,
      waiting: waiting.filter(({ worker }) => worker.alive).length,
      wanted: this.#count,
    }));
  }

  /** Ends those that wait; others are started in their place. */
  renew(): void {
    for (const shelf of this.#shelves.values()) for (const { worker } of shelf.waiting.splice(0)) worker.kill();
    this.#startSoon();
  }

  /** Ends those that wait. */
  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#next);
    for (const memoryMb of this.#shelves.keys()) this.#clear(memoryMb);
  }

  /** Forgets sizes that nobody wants and workers that have ended. */
  #look(): void {
    const nowMs = Date.now();
    for (const [memoryMb, shelf] of this.#shelves) {
      if (memoryMb !== this.#defaultMb && nowMs - shelf.askedAtMs > FORGET_MS) this.#clear(memoryMb);
      else this.#bury(shelf, nowMs);
    }
    this.#startSoon();
  }

  #startSoon(): void {
    this.#next ??= setTimeout(() => this.#startMissing(), START_EVERY_MS).unref();
  }

  /** Starts one that is missing, and later the next. */
  #startMissing(): void {
    this.#next = undefined;
    const nowMs = Date.now();
    for (const shelf of this.#shelves.values()) this.#bury(shelf, nowMs);
    const found = [...this.#shelves].find(([, { waiting }]) => waiting.length < this.#count);
    if (found === undefined || nowMs < this.#startsFromMs) return; // `#look` comes back to it
    const [memoryMb, { waiting }] = found;
    waiting.push({ worker: this.#driver.start({ memoryMb }), startedAtMs: nowMs });
    this.#startSoon();
  }

  /** Takes out those that have ended, which says that more would; one that has come up says that they do again. */
  #bury(shelf: Shelf, nowMs: number): void {
    const alive = shelf.waiting.filter(({ worker }) => worker.alive);
    if (alive.length < shelf.waiting.length) this.#failed(nowMs);
    else if (alive.some(({ startedAtMs }) => nowMs - startedAtMs > COMES_UP_MS)) this.#failures = 0;
    shelf.waiting = alive;
  }

  #failed(nowMs: number): void {
    const delayMs = Math.min(DELAY_MS * 2 ** this.#failures, DELAY_MS_MAX);
    this.#failures += 1;
    this.#startsFromMs = nowMs + delayMs;
    this.#logger.warn({ failures: this.#failures, delayMs }, 'a waiting worker has ended: the next is started later');
  }

  #takeAlive({ waiting }: Shelf): WorkerProcess | undefined {
    for (;;) {
      const next = waiting.shift();
      if (next === undefined || next.worker.alive) return next?.worker;
      this.#failed(Date.now());
    }
  }

  #clear(memoryMb: number): void {
    for (const { worker } of this.#shelves.get(memoryMb)?.waiting ?? []) worker.kill();
    this.#shelves.delete(memoryMb);
  }
}
