import { Readable } from 'node:stream';
import type { Database } from '#libs/database';
import { ArchiveError } from '#libs/tenant-archive';
import { RandomAccessReader } from 'yauzl';
import { readPart } from './imports.repository.js';

/** Bytes of every part but the last, as the management API takes them. */
export const PART_BYTES = 4 * 1024 * 1024;

/** An uploaded archive, read where a zip is read: its end first. Parts come one at a time, and one is kept. */
export class PartReader extends RandomAccessReader {
  #number = -1;
  #content: Promise<Buffer> = Promise.resolve(Buffer.alloc(0));

  constructor(
    private readonly database: Database,
    private readonly importId: string,
  ) {
    super();
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.range(start, end), { objectMode: false });
  }

  /** The bytes from `start` to before `end`. */
  async *range(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end;) {
      const number = Math.floor(at / PART_BYTES);
      const content = await this.#part(number);
      const from = at - number * PART_BYTES;
      const piece = content.subarray(from, Math.min(content.length, from + end - at));
      if (piece.length === 0) throw new ArchiveError('The upload lacks bytes that its archive should have.');
      at += piece.length;
      yield piece;
    }
  }

  #part(number: number): Promise<Buffer> {
    if (number === this.#number) return this.#content;
    this.#number = number;
    this.#content = this.database.asService(async (tx) => {
      const content = await readPart(tx, this.importId, number);
      if (content === undefined) throw new ArchiveError(`Part ${number} of the upload is gone. Upload it again.`);
      return content;
    });
    return this.#content;
  }
}
