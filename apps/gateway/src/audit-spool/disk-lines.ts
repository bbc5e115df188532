import { FileWithRoom } from './file-with-room.js';
import { Segments, type Segment } from './segments.js';

interface Line {
  readonly text: string;
  readonly done: (segment: Segment) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * How long a line may wait for company, in ms: what is needed `now` waits for what arrived with it; with `company`, for
 * a few more that are sure to come; `soon` for a line that is needed before.
 */
const WAIT_MS = { now: 0, company: 2, soon: 20 } as const;

/** When a line has to be on disk. */
export type Urgency = keyof typeof WAIT_MS;

/**
 * Lines that survive the crash of the process and of the machine. Those that wait at the same time are written together
 * (group commit), so that a busy gateway pays for few synchronizations.
 */
export class DiskLines {
  #lines: Line[] = [];
  #flushing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The shortest wait among the lines that wait. */
  #waitMs = Infinity;
  #file: FileWithRoom;

  private constructor(private readonly segments: Segments) {
    this.#file = new FileWithRoom(segments.file);
  }

  /** Starts in a directory. */
  static async open(directory: string): Promise<DiskLines> {
    return new DiskLines(await Segments.open(directory, 'disk'));
  }

  /** Bytes in files that are still there. */
  get bytes(): number {
    return this.segments.bytes;
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
    this.segments.settle(segment);
  }

  /** Ends appending; returns whether everything has arrived, so that the last file is deleted too. */
  async close(): Promise<boolean> {
    while (this.#lines.length > 0 || this.#flushing !== undefined) {
      this.#startFlush();
      await this.#flushing;
    }
    await this.#file.settled();
    return this.segments.close();
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
      if (this.segments.isFull) await this.#startNext();
      const bytes = Buffer.from(batch.map((line) => line.text).join(''));
      await this.#file.write(bytes);
      const segment = this.segments.count(batch.length, bytes.length);
      for (const line of batch) line.done(segment);
    } catch (error) {
      for (const line of batch) line.failed(error);
    }
    this.#flushing = undefined;
    if (this.#lines.length > 0) this.#startTimer();
  }

  async #startNext(): Promise<void> {
    await this.#file.settled();
    await this.segments.startNext();
    this.#file = new FileWithRoom(this.segments.file);
  }
}
