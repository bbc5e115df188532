import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl';

/** Entries of an archive, and what they may hold when they are unpacked, in bytes. */
export const ENTRIES_MAX = 5_000;
/** See ENTRIES_MAX. */
export const UNPACKED_BYTES_MAX = 100 * 1024 * 1024;
const SIGNED_START = Buffer.from('MCPB_SIG_V1');
const SIGNED_END = Buffer.from('MCPB_SIG_END');
const LENGTH_BYTES = 4;
const NAME_BYTES_MAX = 1_024;
const FILE_MODE = 0o444;
/** The kind of file in a Unix mode (stat.h, S_IFMT); archives made elsewhere say 0. */
const KIND_MASK = 0o170000;
const KINDS = { unknown: 0, regular: 0o100000, folder: 0o040000 };

/** Thrown for an archive that is not unpacked; the message is for whoever packed it. */
export class ArchiveFault extends Error {
  override readonly name = 'ArchiveFault';
}

/**
 * Unpacks a zip archive into a folder, its files read-only. Names that lead out of the folder, links, other special
 * files, and files that are there twice are refused. @throws ArchiveFault
 */
export async function unpackArchive(archive: Buffer, folder: string): Promise<void> {
  const zip = await fromBufferPromise(withoutSignature(archive), { lazyEntries: true, strictFileNames: true }).catch(
    asFault,
  );
  if (zip.entryCount > ENTRIES_MAX)
    throw new ArchiveFault(
      `The archive holds more than ${ENTRIES_MAX} entries. Leave out what the server does not need.`,
    );
  await mkdir(folder, { recursive: true });
  try {
    let bytes = 0;
    for await (const entry of zip.eachEntry()) {
      bytes += entry.uncompressedSize;
      refuseEntry(entry, bytes);
      await unpackEntry(zip, entry, path.join(folder, entry.fileName));
    }
  } catch (error) {
    asFault(error);
  }
}

/**
 * The archive without the signature that `mcpb sign` appends: marks around its length and itself, behind the end of the
 * zip, where a strict reader expects nothing. Who uploads a bundle has proved who they are; the signature is not looked at.
 */
export function withoutSignature(archive: Buffer): Buffer {
  const end = archive.length - SIGNED_END.length;
  if (end < 0 || !archive.subarray(end).equals(SIGNED_END)) return archive;
  const start = archive.lastIndexOf(SIGNED_START, end - 1);
  if (start === -1) return archive;
  const signature = start + SIGNED_START.length + LENGTH_BYTES;
  const whole = signature <= end && signature + archive.readUInt32LE(signature - LENGTH_BYTES) === end;
  return whole ? archive.subarray(0, start) : archive;
}

function refuseEntry(entry: Entry, bytes: number): void {
  const name = JSON.stringify(entry.fileName.slice(0, 100));
  const kind = (entry.externalFileAttributes >>> 16) & KIND_MASK;
  if (bytes > UNPACKED_BYTES_MAX)
    throw new ArchiveFault(
      `The archive holds more than ${UNPACKED_BYTES_MAX} bytes when it is unpacked. Make it smaller.`,
    );
  if (!Object.values(KINDS).includes(kind))
    throw new ArchiveFault(`${name} is a link or a special file. Pack regular files and folders only.`);
  if (entry.isEncrypted()) throw new ArchiveFault(`${name} is encrypted. Pack it without a password.`);
  if (entry.fileName.includes('\0') || Buffer.byteLength(entry.fileName) > NAME_BYTES_MAX)
    throw new ArchiveFault(`The name ${name} cannot be used for a file. Rename it.`);
}

async function unpackEntry(zip: ZipFile, entry: Entry, file: string): Promise<void> {
  if (entry.fileName.endsWith('/')) {
    await mkdir(file, { recursive: true });
    return;
  }
  await mkdir(path.dirname(file), { recursive: true });
  await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(file, { flags: 'wx', mode: FILE_MODE }));
}

/** What the reader or the file system refuses is the archive's fault: the folder is ours and empty. */
function asFault(error: unknown): never {
  if (error instanceof ArchiveFault) throw error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') throw error;
  const reason =
    code === undefined
      ? error instanceof Error
        ? error.message
        : String(error)
      : 'two of its entries have the same name';
  throw new ArchiveFault(`The archive cannot be unpacked: ${reason.slice(0, 200)}.`, { cause: error });
}
