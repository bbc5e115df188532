import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** One file of the spool; it is deleted when it is full and every record in it has arrived in the database. */
export interface Segment {
  readonly path: string;
  /** Lines whose records have not arrived yet. */
  waiting: number;
  full: boolean;
}

interface Line {
  readonly text: string;
  readonly done: (segment: Segment) => void;
  readonly failed: (error: unknown) => void;
}

const SEGMENT_BYTES = 8 * 1024 * 1024;
const SOON_MS = 10;

/**
 * Appends lines to files so that they survive the crash of the process and of the machine. Lines that come while one
 * batch is being synchronized form the next (group commit), so that a busy gateway pays for few synchronizations.
 */
export class SpoolFiles {
  #lines: Line[] = [];
  #flushing: Promise<void> | undefined;
  #soon: NodeJS.Timeout | undefined;
  #bytes = 0;
  #number = 1;

  private constructor(
    private readonly directory: string,
    private file: FileHandle,
    private segment: Segment,
  ) {}

  /** Starts the spool in a directory of its own. */
  static async open(directory: string): Promise<SpoolFiles> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const segment = segmentAt(directory, 0);
    return new SpoolFiles(directory, await open(segment.path, 'a', 0o600), segment);
  }

  /**
   * Appends one line; settles when it is on disk, with the segment that holds it. `soon` lets it wait a moment for a
   * line that is needed `now`, so that both share one synchronization.
   */
  async append(record: object, when: 'now' | 'soon'): Promise<Segment> {
    const text = `${JSON.stringify(record)}\n`;
    return new Promise<Segment>((done, failed) => {
      this.#lines.push({ text, done, failed });
      if (when === 'now') this.#startFlush();
      else this.#soon ??= setTimeout(() => this.#startFlush(), SOON_MS);
    });
  }

  /** Tells that a line's record has arrived in the database. */
  async settle(segment: Segment): Promise<void> {
    segment.waiting -= 1;
    if (segment.full && segment.waiting === 0) await unlink(segment.path).catch(() => undefined);
  }

  /** Ends appending; returns whether everything has arrived, so that the last file is deleted too. */
  async close(): Promise<boolean> {
    this.#startFlush();
    await this.#flushing;
    await this.file.close();
    if (this.segment.waiting > 0) return false;
    await unlink(this.segment.path).catch(() => undefined);
    return true;
  }

  #startFlush(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    if (this.#lines.length > 0) this.#flushing ??= this.#flush();
  }

  async #flush(): Promise<void> {
    while (this.#lines.length > 0) {
      const batch = this.#lines;
      this.#lines = [];
      try {
        await this.#startSegmentWhenFull();
        const text = batch.map((line) => line.text).join('');
        await this.file.appendFile(text);
        await this.file.datasync();
        this.#bytes += Buffer.byteLength(text);
        this.segment.waiting += batch.length;
        for (const line of batch) line.done(this.segment);
      } catch (error) {
        for (const line of batch) line.failed(error);
      }
    }
    // Here and not when the promise settles: a line that comes in between would wait for the one after it.
    this.#flushing = undefined;
  }

  async #startSegmentWhenFull(): Promise<void> {
    if (this.#bytes < SEGMENT_BYTES) return;
    const next = segmentAt(this.directory, this.#number);
    const file = await open(next.path, 'a', 0o600);
    const previous = this.segment;
    await this.file.close();
    previous.full = true;
    if (previous.waiting === 0) await unlink(previous.path).catch(() => undefined);
    this.file = file;
    this.segment = next;
    this.#number += 1;
    this.#bytes = 0;
  }
}

function segmentAt(directory: string, number: number): Segment {
  return { path: join(directory, `${String(number).padStart(8, '0')}.ndjson`), waiting: 0, full: false };
}
