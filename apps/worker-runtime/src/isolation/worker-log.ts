import type { Readable } from 'node:stream';
import type { Logger } from '#libs/telemetry';

const LINE_CHARACTERS_MAX = 2_000;
const LINES_PER_MINUTE = 60;

/** Drains what a worker prints into the log, at a bounded rate: a worker that prints without end fills no disk. */
export class WorkerLog {
  readonly #logger: Logger;
  readonly #pid: number | undefined;
  #tenantId: string | undefined;
  #windowStart = 0;
  #lines = 0;

  constructor(logger: Logger, pid: number | undefined) {
    this.#logger = logger;
    this.#pid = pid;
  }

  /** Names whose worker it is from here on. */
  assign(tenantId: string): void {
    this.#tenantId = tenantId;
  }

  /** Reads a stream until it ends. */
  drain(stream: Readable | null): void {
    let partial = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      const lines = (partial + chunk).split('\n');
      partial = (lines.pop() ?? '').slice(0, LINE_CHARACTERS_MAX);
      for (const line of lines) this.#write(line);
    });
    stream?.on('error', () => undefined); // the worker is gone; its exit is reported elsewhere
  }

  #write(line: string): void {
    const minute = Math.floor(Date.now() / 60_000);
    if (minute !== this.#windowStart) [this.#windowStart, this.#lines] = [minute, 0];
    this.#lines += 1;
    if (this.#lines > LINES_PER_MINUTE || line.trim() === '') return;
    this.#logger.warn(
      { tenantId: this.#tenantId, pid: this.#pid, output: line.slice(0, LINE_CHARACTERS_MAX) },
      'worker output',
    );
    if (this.#lines === LINES_PER_MINUTE)
      this.#logger.warn({ tenantId: this.#tenantId, pid: this.#pid }, 'worker output is dropped until the next minute');
  }
}
