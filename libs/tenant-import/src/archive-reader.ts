import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { ArchiveError, verifyManifest, type ArchiveFile, type ArchiveManifest } from '#libs/tenant-archive';
import { fromRandomAccessReaderPromise, openPromise, type Entry, type RandomAccessReader, type ZipFile } from 'yauzl';
import { entriesOf } from './archive-entries.js';
import { linesOf } from './archive-lines.js';

const MANIFEST = 'manifest.jws';
const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;
/** What all files come to when they are unpacked. */
const UNPACKED_BYTES_MAX = 40 * 1024 ** 3;
/** What is read as a whole: what a release is made of. */
const BLOB_BYTES_MAX = 64 * 1024 * 1024;
const OPTIONS = { lazyEntries: true, strictFileNames: true, autoClose: false } as const;

/** Where the bytes of an archive are. */
export type ArchiveSource = { readonly path: string } | { readonly reader: RandomAccessReader; readonly bytes: number };

/** What happens while an archive is checked. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Called before each file, with how many were checked before it. */
  readonly onFile?: (path: string, files: number) => void;
}

/** An archive that is what its manifest says, file by file. */
export class ArchiveReader {
  private constructor(
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
    readonly manifest: ArchiveManifest,
  ) {}

  /** Opens an archive that one of these keys has signed, and compares each file with its digest. @throws ArchiveError */
  static async open(
    source: ArchiveSource,
    trusted: readonly string[],
    options: ReadOptions = {},
  ): Promise<ArchiveReader> {
    const zip = await openZip(source).catch(unreadable);
    try {
      const entries = await entriesOf(zip);
      const reader = new ArchiveReader(zip, entries, await manifestOf(zip, entries, trusted));
      await reader.#refuseDifference(options);
      return reader;
    } catch (error) {
      zip.close();
      if (options.signal?.aborted === true) throw error;
      return unreadable(error);
    }
  }

  close(): void {
    this.zip.close();
  }

  /** Whether there is such a file. */
  has(path: string): boolean {
    return this.entries.has(path);
  }

  /** The lines of a file. @throws ArchiveError for one that is longer than any that an export writes */
  async *lines(path: string): AsyncGenerator<string> {
    yield* linesOf(path, await this.open(path));
  }

  /** A file as a whole; one of a release's. @throws ArchiveError for one that is larger than any of those */
  async bytes(path: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of (await this.open(path)) as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > BLOB_BYTES_MAX) throw new ArchiveError(`${path} is larger than ${BLOB_BYTES_MAX} bytes.`);
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  /** The bytes of a file as they come. @throws ArchiveError where there is none */
  async open(path: string): Promise<Readable> {
    const entry = this.entries.get(path);
    if (entry === undefined) throw new ArchiveError(`The archive lacks ${path}. Use another copy.`);
    return this.zip.openReadStreamPromise(entry);
  }

  async #refuseDifference({ signal, onFile }: ReadOptions): Promise<void> {
    const { files } = this.manifest;
    const listed = new Set(files.map(({ path }) => path));
    const strange = [...this.entries.keys()].find((path) => path !== MANIFEST && !listed.has(path));
    if (strange !== undefined || listed.size !== files.length)
      throw new ArchiveError('The archive holds other files than its manifest lists. Use another copy.');
    if (files.reduce((sum, { bytes }) => sum + bytes, 0) > UNPACKED_BYTES_MAX)
      throw new ArchiveError(
        `The archive’s files come to more than ${UNPACKED_BYTES_MAX} bytes when they are unpacked.`,
      );
    for (const [checked, file] of files.entries()) {
      signal?.throwIfAborted();
      onFile?.(file.path, checked);
      await this.#refuseChanged(file, signal);
    }
  }

  async #refuseChanged({ path, bytes, sha256 }: ArchiveFile, signal?: AbortSignal): Promise<void> {
    const changed = new ArchiveError(`${path} is not as it was written. Use another copy of the archive.`);
    const hash = createHash('sha256');
    let read = 0;
    for await (const part of (await this.open(path)) as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      hash.update(part);
      read += part.length;
      if (read > bytes) throw changed;
    }
    if (read !== bytes || hash.digest('hex') !== sha256) throw changed;
  }
}

function openZip(source: ArchiveSource): Promise<ZipFile> {
  return 'path' in source
    ? openPromise(source.path, OPTIONS)
    : fromRandomAccessReaderPromise(source.reader, source.bytes, OPTIONS);
}

async function manifestOf(
  zip: ZipFile,
  entries: ReadonlyMap<string, Entry>,
  trusted: readonly string[],
): Promise<ArchiveManifest> {
  const entry = entries.get(MANIFEST);
  if (entry === undefined || entry.uncompressedSize > MANIFEST_BYTES_MAX)
    throw new ArchiveError(
      `The archive holds no ${MANIFEST} that can be read: it is none of a tenant, or was broken off.`,
    );
  const parts: Buffer[] = [];
  for await (const part of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) parts.push(part);
  return verifyManifest(Buffer.concat(parts).toString(), trusted);
}

function unreadable(error: unknown): never {
  if (error instanceof ArchiveError) throw error;
  const reason = error instanceof Error ? error.message : String(error);
  throw new ArchiveError(`The archive cannot be read (${reason}). Use another copy.`, { cause: error });
}
