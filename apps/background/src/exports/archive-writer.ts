import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ArchiveFile } from '#libs/tenant-archive';
import { ZipFile } from 'yazl';

/** What of a file has passed. */
class Passed {
  readonly hash = createHash('sha256');
  bytes = 0;

  async *of(chunks: Iterable<string | Buffer> | AsyncIterable<string | Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      const bytes = Buffer.from(chunk);
      this.hash.update(bytes);
      this.bytes += bytes.length;
      yield bytes;
    }
  }
}

/** Writes a zip archive file by file, as fast as its output is read, and keeps what each file was. */
export class ArchiveWriter {
  readonly #zip = new ZipFile();
  readonly #files: ArchiveFile[] = [];
  #current: Readable | undefined;
  #failure: Error | undefined;

  /** The bytes of the archive. */
  get output(): NodeJS.ReadableStream {
    return this.#zip.outputStream;
  }

  /** The files so far. */
  get files(): readonly ArchiveFile[] {
    return this.#files;
  }

  /** Adds a file; `rows` is asked when it has been read. */
  async add(
    path: string,
    chunks: Iterable<string | Buffer> | AsyncIterable<string | Buffer>,
    rows?: () => number,
  ): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const passed = new Passed();
    const stream = Readable.from(passed.of(chunks), { objectMode: false });
    this.#current = stream;
    const isRead = new Promise<void>((resolve, reject) => {
      stream.once('end', resolve).once('error', reject);
    });
    this.#zip.addReadStream(stream, path);
    await isRead;
    const told = rows === undefined ? {} : { rows: rows() };
    this.#files.push({ path, bytes: passed.bytes, sha256: passed.hash.digest('hex'), ...told });
  }

  /** Ends the archive with a file that is not among those it lists. */
  end(path: string, content: string): void {
    this.#zip.addBuffer(Buffer.from(content), path);
    this.#zip.end();
  }

  /** Ends what is being added, because nobody takes the bytes any more. */
  fail(error: Error): void {
    this.#failure = error;
    this.#current?.destroy(error);
  }
}
