import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { ArchiveError, verifyManifest, type ArchiveFile, type ArchiveManifest } from '#libs/tenant-archive';
import { openPromise, type Entry, type ZipFile } from 'yauzl';

const MANIFEST = 'manifest.jws';
const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;
const ENTRIES_MAX = 100_001;

/** An archive that is what its manifest says, file by file. */
export class ArchiveReader {
  private constructor(
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
    readonly manifest: ArchiveManifest,
  ) {}

  /** Opens an archive that one of these keys has signed, and compares each file with its digest. @throws ArchiveError */
  static async open(path: string, trusted: readonly string[]): Promise<ArchiveReader> {
    const zip = await openPromise(path, { lazyEntries: true, strictFileNames: true, autoClose: false }).catch(
      unreadable,
    );
    try {
      const entries = await entriesOf(zip);
      const reader = new ArchiveReader(zip, entries, await manifestOf(zip, entries, trusted));
      await reader.#refuseDifference();
      return reader;
    } catch (error) {
      zip.close();
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

  /** The lines of a file. */
  async *lines(path: string): AsyncGenerator<string> {
    const lines = createInterface({ input: await this.open(path), crlfDelay: Infinity });
    for await (const line of lines) if (line !== '') yield line;
  }

  /** A file as a whole; only for what is bounded where it was made. */
  async bytes(path: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of (await this.open(path)) as AsyncIterable<Buffer>) parts.push(part);
    return Buffer.concat(parts);
  }

  /** The bytes of a file as they come. @throws ArchiveError where there is none */
  async open(path: string): Promise<Readable> {
    const entry = this.entries.get(path);
    if (entry === undefined) throw new ArchiveError(`The archive lacks ${path}. Use another copy.`);
    return this.zip.openReadStreamPromise(entry);
  }

  async #refuseDifference(): Promise<void> {
    const listed = new Set(this.manifest.files.map(({ path }) => path));
    const strange = [...this.entries.keys()].find((path) => path !== MANIFEST && !listed.has(path));
    if (strange !== undefined)
      throw new ArchiveError('The archive holds a file that its manifest does not list. Use another copy.');
    for (const file of this.manifest.files) await this.#refuseChanged(file);
  }

  async #refuseChanged({ path, bytes, sha256 }: ArchiveFile): Promise<void> {
    const changed = new ArchiveError(`${path} is not as it was written. Use another copy of the archive.`);
    const hash = createHash('sha256');
    let read = 0;
    for await (const part of (await this.open(path)) as AsyncIterable<Buffer>) {
      hash.update(part);
      read += part.length;
      if (read > bytes) throw changed;
    }
    if (read !== bytes || hash.digest('hex') !== sha256) throw changed;
  }
}

async function entriesOf(zip: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  if (zip.entryCount > ENTRIES_MAX) throw new ArchiveError(`The archive holds more than ${ENTRIES_MAX} files.`);
  for await (const entry of zip.eachEntry()) {
    if (entries.has(entry.fileName)) throw new ArchiveError('The archive holds a file twice. Use another copy.');
    entries.set(entry.fileName, entry);
  }
  return entries;
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
