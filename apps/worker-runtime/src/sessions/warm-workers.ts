import type { WorkerDriver, WorkerProcess } from '../isolation/worker-driver.js';

const TOP_UP_MS = 2_000;

/** Started workers that nobody has used yet, so that a first call does not wait for a process to start. */
export class WarmWorkers {
  readonly #driver: WorkerDriver;
  readonly #count: number;
  readonly #memoryMb: number;
  readonly #timer: NodeJS.Timeout;
  #waiting: WorkerProcess[] = [];
  #stopped = false;

  constructor(driver: WorkerDriver, count: number, memoryMb: number) {
    this.#driver = driver;
    this.#count = count;
    this.#memoryMb = memoryMb;
    this.#timer = setInterval(() => this.#topUp(), TOP_UP_MS).unref();
    this.#topUp();
  }

  /** A worker for one tenant's exclusive use. */
  take(): WorkerProcess {
    this.#waiting = this.#waiting.filter((worker) => worker.alive);
    const warm = this.#waiting.shift();
    setImmediate(() => this.#topUp());
    return warm ?? this.#driver.start({ memoryMb: this.#memoryMb });
  }

  /** Ends those that wait. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const worker of this.#waiting) worker.kill();
    this.#waiting = [];
  }

  #topUp(): void {
    if (this.#stopped) return;
    this.#waiting = this.#waiting.filter((worker) => worker.alive);
    while (this.#waiting.length < this.#count) this.#waiting.push(this.#driver.start({ memoryMb: this.#memoryMb }));
  }
}
