import { constants } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** One file of the spool; it is deleted when it is full and every record in it has arrived in the database. */
export interface Segment {
  readonly path: string;
  /** Lines whose records have not arrived yet. */
  waiting: number;
  full: boolean;
  bytes: number;
}

const SEGMENT_BYTES = 8 * 1024 * 1024;
const WRITE = constants.O_CREAT | constants.O_WRONLY;

/**
 * What a line survives when it is appended. On `disk`, every write is there when it returns (as after `fdatasync`, in one
 * visit to the thread pool). For `process`, the system has it, which outlives this process; it is on disk a second later.
 */
const FLAGS = { disk: WRITE | constants.O_DSYNC, process: WRITE | constants.O_APPEND } as const;

/** What lines of a spool survive. */
export type Durability = keyof typeof FLAGS;

/** The files that lines are appended to, one after the other, and which of them are still needed. */
export class Segments {
  #bytesKept = 0;
  #number = 1;

  private constructor(
    private readonly directory: string,
    private readonly durability: Durability,
    private openFile: FileHandle,
    private current: Segment,
  ) {}

  /** Starts with the first file in a directory. */
  static async open(directory: string, durability: Durability): Promise<Segments> {
    const segment = segmentAt(directory, durability, 0);
    return new Segments(directory, durability, await open(segment.path, FLAGS[durability], 0o600), segment);
  }

  /** Bytes in files that are still there. */
  get bytes(): number {
    return this.#bytesKept;
  }

  /** The file that is appended to now. */
  get file(): FileHandle {
    return this.openFile;
  }

  /** Whether the next lines belong into another file. */
  get isFull(): boolean {
    return this.current.bytes >= SEGMENT_BYTES;
  }

  /** Counts lines that were appended, and tells where they are. */
  count(lines: number, bytes: number): Segment {
    this.current.bytes += bytes;
    this.#bytesKept += bytes;
    this.current.waiting += lines;
    return this.current;
  }

  /** Tells that a line's record has arrived in the database. */
  settle(segment: Segment): void {
    segment.waiting -= 1;
    if (segment.full && segment.waiting === 0) void this.#remove(segment);
  }

  /** Goes on with another file. */
  async startNext(): Promise<void> {
    const next = segmentAt(this.directory, this.durability, this.#number);
    const file = await open(next.path, FLAGS[this.durability], 0o600);
    const [previous, previousFile] = [this.current, this.openFile];
    this.openFile = file;
    this.current = next;
    this.#number += 1;
    previous.full = true;
    if (previous.waiting === 0) await this.#remove(previous);
    if (this.durability === 'process') await previousFile.datasync();
    await previousFile.close();
  }

  /** Ends appending; returns whether everything has arrived, so that the last file is deleted too. */
  async close(): Promise<boolean> {
    await this.openFile.datasync().catch(() => undefined);
    await this.openFile.close();
    if (this.current.waiting > 0) return false;
    await unlink(this.current.path).catch(() => undefined);
    return true;
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
