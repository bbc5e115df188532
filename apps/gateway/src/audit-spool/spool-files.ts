import { constants } from 'node:fs';
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** One file of the spool; it is deleted when it is full and every record in it has arrived in the database. */
export interface Segment {
  readonly path: string;
  /** Lines whose records have not arrived yet. */
  waiting: number;
  full: boolean;
  bytes: number;
}

interface Line {
  readonly text: string;
  readonly done: (segment: Segment) => void;
  readonly failed: (error: unknown) => void;
}

const SYNC_MS = 1_000;
const SEGMENT_BYTES = 8 * 1024 * 1024;

/**
 * How long a line may wait for company, in ms: what is needed `now` waits for what arrived with it; with `company`, for
 * a few more that are sure to come; `soon` for a line that is needed before.
 */
const WAIT_MS = { now: 0, company: 2, soon: 20 } as const;

/** When a line has to be on disk. */
export type Urgency = keyof typeof WAIT_MS;

const APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY;

/**
 * What a line survives when it is appended. On `disk`, every write is there when it returns (as after `fdatasync`, in one
 * visit to the thread pool). For `process`, the system has it, which outlives this process; it is on disk a second later.
 */
const FLAGS = { disk: APPEND | constants.O_DSYNC, process: APPEND } as const;

/** What lines of a spool survive. */
export type Durability = keyof typeof FLAGS;

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
  #bytesKept = 0;
  #syncing: NodeJS.Timeout | undefined;
  #number = 1;

  private constructor(
    private readonly directory: string,
    private readonly durability: Durability,
    private file: FileHandle,
    private segment: Segment,
  ) {}

  /** Starts the spool in a directory of its own. */
  static async open(directory: string, durability: Durability): Promise<SpoolFiles> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const segment = segmentAt(directory, durability, 0);
    return new SpoolFiles(directory, durability, await open(segment.path, FLAGS[durability], 0o600), segment);
  }

  /** Bytes in files that are still there. */
  get bytes(): number {
    return this.#bytesKept;
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
    if (segment.full && segment.waiting === 0) void this.#remove(segment);
  }

  /** Ends appending; returns whether everything has arrived, so that the last file is deleted too. */
  async close(): Promise<boolean> {
    while (this.#lines.length > 0 || this.#flushing !== undefined) {
      this.#startFlush();
      await this.#flushing;
    }
    clearTimeout(this.#syncing);
    await this.file.datasync().catch(() => undefined);
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
      this.segment.bytes += bytes.length;
      this.#bytesKept += bytes.length;
      this.segment.waiting += batch.length;
      if (this.durability === 'process') this.#syncLater();
      for (const line of batch) line.done(this.segment);
    } catch (error) {
      for (const line of batch) line.failed(error);
    }
    this.#flushing = undefined;
    if (this.#lines.length > 0) this.#startTimer();
  }

  #syncLater(): void {
    this.#syncing ??= setTimeout(() => {
      this.#syncing = undefined;
      // A file that was closed meanwhile was synchronized then; one that cannot be is written again with the next line.
      this.file.datasync().catch(() => undefined);
    }, SYNC_MS).unref();
  }

  async #startSegmentWhenFull(): Promise<void> {
    if (this.segment.bytes < SEGMENT_BYTES) return;
    const next = segmentAt(this.directory, this.durability, this.#number);
    const file = await open(next.path, FLAGS[this.durability], 0o600);
    const previous = this.segment;
    if (this.durability === 'process') await this.file.datasync();
    await this.file.close();
    previous.full = true;
    if (previous.waiting === 0) await this.#remove(previous);
    this.file = file;
    this.segment = next;
    this.#number += 1;
  }

  async #remove(segment: Segment): Promise<void> {
    this.#bytesKept -= segment.bytes;
    await unlink(segment.path).catch(() => undefined);
  }
}

function segmentAt(directory: string, durability: Durability, number: number): Segment {
  const name = `${durability}-${String(number).padStart(8, '0')}.ndjson`;
  return { path: join(directory, name), waiting: 0, full: false, bytes: 0 };
}
