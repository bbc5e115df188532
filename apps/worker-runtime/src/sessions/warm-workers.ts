import type { WorkerDriver, WorkerProcess } from '../isolation/worker-driver.js';

const TOP_UP_MS = 2_000;
/** Long enough for the call that took one to be answered first. */
const REFILL_AFTER_MS = 100;
/** A size that nobody has asked for in this time is not kept. */
const FORGET_MS = 600_000;
const SIZES_MAX = 4;

interface Shelf {
  readonly waiting: WorkerProcess[];
  askedAtMs: number;
}

/**
 * Started workers that nobody has used yet, so that a first call does not wait for a process to start. A worker's
 * memory is fixed when it starts, so they wait by size: the default always, others while tenants ask for them.
 */
export class WarmWorkers {
  readonly #driver: WorkerDriver;
  readonly #count: number;
  readonly #defaultMb: number;
  readonly #timer: NodeJS.Timeout;
  readonly #shelves = new Map<number, Shelf>();
  #refill: NodeJS.Timeout | undefined;

  constructor(driver: WorkerDriver, count: number, memoryMb: number) {
    this.#driver = driver;
    this.#count = count;
    this.#defaultMb = memoryMb;
    this.#shelves.set(memoryMb, { waiting: [], askedAtMs: 0 });
    this.#timer = setInterval(() => this.#topUp(), TOP_UP_MS).unref();
    this.#topUp();
  }

  /** A worker of a size, without one the default, for one tenant's exclusive use. */
  take(memoryMb = this.#defaultMb): WorkerProcess {
    const shelf = this.#shelves.get(memoryMb) ?? { waiting: [], askedAtMs: 0 };
    if (this.#shelves.size < SIZES_MAX) this.#shelves.set(memoryMb, shelf);
    shelf.askedAtMs = Date.now();
    this.#refill ??= setTimeout(() => this.#topUp(), REFILL_AFTER_MS).unref();
    return takeAlive(shelf) ?? this.#driver.start({ memoryMb });
  }

  /** Ends those that wait. */
  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#refill);
    for (const memoryMb of this.#shelves.keys()) this.#clear(memoryMb);
  }

  #topUp(): void {
    this.#refill = undefined;
    for (const [memoryMb, { waiting, askedAtMs }] of this.#shelves) {
      if (memoryMb !== this.#defaultMb && Date.now() - askedAtMs > FORGET_MS) {
        this.#clear(memoryMb);
        continue;
      }
      waiting.splice(0, waiting.length, ...waiting.filter((worker) => worker.alive));
      while (waiting.length < this.#count) waiting.push(this.#driver.start({ memoryMb }));
    }
  }

  #clear(memoryMb: number): void {
    for (const worker of this.#shelves.get(memoryMb)?.waiting ?? []) worker.kill();
    this.#shelves.delete(memoryMb);
  }
}

function takeAlive({ waiting }: Shelf): WorkerProcess | undefined {
  for (;;) {
    const worker = waiting.shift();
    if (worker === undefined || worker.alive) return worker;
  }
}
