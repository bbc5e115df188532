import { constants } from 'node:fs';
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

/**
 * How long a line may wait for company, in ms: what is needed `now` waits for what arrived with it; with `company`, for
 * a few more that are sure to come; `soon` for a line that is needed before.
 */
const WAIT_MS = { now: 0, company: 2, soon: 20 } as const;

/** When a line has to be on disk. */
export type Urgency = keyof typeof WAIT_MS;

/** Every write is on disk when it returns (as after `fdatasync`), in one visit to the thread pool. */
const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_DSYNC;

/**
 * Appends lines to files so that they survive the crash of the process and of the machine. Lines that wait at the same
 * time are written together (group commit), so that a busy gateway pays for few synchronizations.
 */
export class SpoolFiles {
  #lines: Line[] = [];
  #flushing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The shortest wait among the lines that wait. */
  #waitMs = Infinity;
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
    return new SpoolFiles(directory, await open(segment.path, FLAGS, 0o600), segment);
  }

  /** Appends one line; settles when it is on disk, with the segment that holds it. */
  append(record: object, urgency: Urgency): Promise<Segment> {
    const text = `${JSON.stringify(record)}\n`;
    return new Promise<Segment>((done, failed) => {
      this.#lines.push({ text, done, failed });
      this.#flushWithin(WAIT_MS[urgency]);
    });
  }

  /** Tells that a line's record has arrived in the database. */
  settle(segment: Segment): void {
    segment.waiting -= 1;
    if (segment.full && segment.waiting === 0) void unlink(segment.path).catch(() => undefined);
  }

  /** Ends appending; returns whether everything has arrived, so that the last file is deleted too. */
  async close(): Promise<boolean> {
    while (this.#lines.length > 0 || this.#flushing !== undefined) {
      this.#startFlush();
      await this.#flushing;
    }
    await this.file.close();
    if (this.segment.waiting > 0) return false;
    await unlink(this.segment.path).catch(() => undefined);
    return true;
  }

  #flushWithin(ms: number): void {
    if (ms >= this.#waitMs) return;
    this.#waitMs = ms;
    if (this.#flushing === undefined) this.#startTimer();
  }

  #startTimer(): void {
    clearTimeout(this.#timer);
    if (this.#waitMs === 0) setImmediate(() => this.#startFlush());
    else this.#timer = setTimeout(() => this.#startFlush(), this.#waitMs);
  }

  #startFlush(): void {
    if (this.#flushing !== undefined || this.#lines.length === 0) return;
    clearTimeout(this.#timer);
    this.#waitMs = Infinity;
    const batch = this.#lines;
    this.#lines = [];
    this.#flushing = this.#flush(batch);
  }

  async #flush(batch: readonly Line[]): Promise<void> {
    try {
      await this.#startSegmentWhenFull();
      const bytes = Buffer.from(batch.map((line) => line.text).join(''));
      await this.file.appendFile(bytes);
      this.#bytes += bytes.length;
      this.segment.waiting += batch.length;
      for (const line of batch) line.done(this.segment);
    } catch (error) {
      for (const line of batch) line.failed(error);
    }
    this.#flushing = undefined;
    if (this.#lines.length > 0) this.#startTimer();
  }

  async #startSegmentWhenFull(): Promise<void> {
    if (this.#bytes < SEGMENT_BYTES) return;
    const next = segmentAt(this.directory, this.#number);
    const file = await open(next.path, FLAGS, 0o600);
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
