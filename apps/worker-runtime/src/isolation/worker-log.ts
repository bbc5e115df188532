import type { Readable } from 'node:stream';
import type { Logger } from '#libs/telemetry';
import type { WorkerOwner } from './worker-driver.js';

const LINE_CHARACTERS_MAX = 2_000;
/** As long as the longest secret in its longest form: what is looked at beside what is shown, so that none is cut before it is known. */
const SECRET_CHARACTERS_MAX = 96 * 1024;
const READ_CHARACTERS_MAX = LINE_CHARACTERS_MAX + SECRET_CHARACTERS_MAX;
const LINES_PER_MINUTE = 60;
const BYTES_PER_SECOND = 256 * 1024;

/** Where a worker runs, for its log lines. */
type Origin = { readonly pid: number | undefined } | { readonly pod: string };

/**
 * Drains what a worker prints into the log, at a bounded rate: a worker that prints without end fills no disk, and
 * waits for its own output instead of keeping us busy.
 */
export class WorkerLog {
  readonly #logger: Logger;
  readonly #origin: Origin;
  #owner: WorkerOwner | undefined;
  #windowStart = 0;
  #lines = 0;

  constructor(logger: Logger, origin: Origin) {
    this.#logger = logger;
    this.#origin = origin;
  }

  /** Names whose worker it is from here on. */
  assign(owner: WorkerOwner): void {
    this.#owner = owner;
  }

  /** Reads a stream until it ends. */
  drain(stream: Readable | null): void {
    let partial = '';
    const budget = new DrainBudget();
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      const pauseMs = budget.take(chunk.length, Date.now());
      if (pauseMs > 0) {
        stream.pause();
        setTimeout(() => stream.resume(), pauseMs).unref();
      }
      const [rest = '', ...more] = chunk.split('\n');
      partial = read(partial, rest);
      for (const next of more) {
        this.#write(partial);
        partial = read('', next);
      }
    });
    stream?.on('error', () => undefined); // the worker is gone; its exit is reported elsewhere
  }

  #write(line: string): void {
    const minute = Math.floor(Date.now() / 60_000);
    if (minute !== this.#windowStart) [this.#windowStart, this.#lines] = [minute, 0];
    this.#lines += 1;
    if (this.#lines > LINES_PER_MINUTE || line.trim() === '') return;
    const named = { tenantId: this.#owner?.tenantId, ...this.#origin };
    const output = this.#shown(line).slice(0, LINE_CHARACTERS_MAX);
    this.#logger.warn({ ...named, output }, 'worker output');
    if (this.#lines === LINES_PER_MINUTE) this.#logger.warn(named, 'worker output is dropped until the next minute');
  }

  /** A line without secrets. Where it was read in part, its end may be the beginning of one. */
  #shown(line: string): string {
    const shown = this.#owner?.redact?.(line) ?? line;
    if (line.length < READ_CHARACTERS_MAX) return shown;
    return shown.slice(0, Math.max(0, shown.length - SECRET_CHARACTERS_MAX));
  }
}

/** A line so far and what comes next of it, as far as it is read: what is further on is for nobody. */
function read(line: string, next: string): string {
  return line.length >= READ_CHARACTERS_MAX ? line : `${line}${next}`.slice(0, READ_CHARACTERS_MAX);
}

/** How much of a stream is read in each second. */
class DrainBudget {
  #windowStartMs = 0;
  #bytes = 0;

  /** Takes what was read; milliseconds to pause for when that was enough for this second. */
  take(bytes: number, nowMs: number): number {
    if (nowMs - this.#windowStartMs >= 1_000) [this.#windowStartMs, this.#bytes] = [nowMs, 0];
    this.#bytes += bytes;
    return this.#bytes < BYTES_PER_SECOND ? 0 : this.#windowStartMs + 1_000 - nowMs;
  }
}
