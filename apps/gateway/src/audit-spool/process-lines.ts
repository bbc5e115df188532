import { writeSync } from 'node:fs';
import { Segments, type Segment } from './segments.js';

const SYNC_MS = 1_000;

/**
 * Lines that survive the crash of this process: the system has each when `append` returns, and the disk a second later.
 * They are written at once, for that is a copy in memory (1–2 µs), and a visit to the thread pool takes twenty times that.
 */
export class ProcessLines {
  #syncing: NodeJS.Timeout | undefined;
  #starting: Promise<void> | undefined;
  /** Whether a write has failed, and may have left a part of a line. */
  #torn = false;

  private constructor(private readonly segments: Segments) {}

  /** Starts in a directory. */
  static async open(directory: string): Promise<ProcessLines> {
    return new ProcessLines(await Segments.open(directory, 'process'));
  }

  /** Bytes in files that are still there. */
  get bytes(): number {
    return this.segments.bytes;
  }

  /** Appends one line; returns the segment that holds it. @throws Error of the file system */
  append(record: object): Segment {
    const bytes = Buffer.from(`${this.#torn ? '\n' : ''}${JSON.stringify(record)}\n`);
    this.#torn = true;
    for (let at = 0; at < bytes.length;) at += writeSync(this.segments.file.fd, bytes, at);
    this.#torn = false;
    const segment = this.segments.count(1, bytes.length);
    this.#syncLater();
    if (this.segments.isFull) this.#startNext();
    return segment;
  }

  /** Tells that a line's record has arrived in the database. */
  settle(segment: Segment): void {
    this.segments.settle(segment);
  }

  /** Ends appending; returns whether everything has arrived, so that the last file is deleted too. */
  async close(): Promise<boolean> {
    await this.#starting;
    clearTimeout(this.#syncing);
    return this.segments.close();
  }

  #syncLater(): void {
    this.#syncing ??= setTimeout(() => {
      this.#syncing = undefined;
      // A file that was closed meanwhile was synchronized then; one that cannot be is written again with the next line.
      this.segments.file.datasync().catch(() => undefined);
    }, SYNC_MS).unref();
  }

  /** Until there is another file, lines go on into this one; where none can be opened, the next line tries again. */
  #startNext(): void {
    this.#starting ??= this.segments
      .startNext()
      .catch(() => undefined)
      .finally(() => (this.#starting = undefined));
  }
}
