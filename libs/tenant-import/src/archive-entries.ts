import { ArchiveError } from '#libs/tenant-archive';
import type { Entry, ZipFile } from 'yauzl';

const ENTRIES_MAX = 100_001;
/** What the list of an archive's files takes: with so many of them, twice what an export writes. */
const LIST_BYTES_MAX = 32 * 1024 * 1024;
/** Fixed bytes of a file in the list, and before a file's own bytes (APPNOTE 4.3.12, 4.3.7). */
const LISTED_BYTES = 46;
const HEADER_BYTES = 30;

/** The files of an archive by their paths, as its list says. @throws ArchiveError for a list that no export writes */
export async function entriesOf(zip: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  if (zip.entryCount > ENTRIES_MAX) throw new ArchiveError(`The archive holds more than ${ENTRIES_MAX} files.`);
  let bytes = 0;
  for await (const entry of zip.eachEntry()) {
    bytes += LISTED_BYTES + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
    if (bytes > LIST_BYTES_MAX)
      throw new ArchiveError(`The list of the archive’s files takes more than ${LIST_BYTES_MAX} bytes.`);
    if (entries.has(entry.fileName)) throw new ArchiveError('The archive holds a file twice. Use another copy.');
    entries.set(entry.fileName, entry);
  }
  refuseShared([...entries.values()], zip.fileSize);
  return entries;
}

/** Files that share bytes unpack to far more than an archive holds. */
function refuseShared(entries: readonly Entry[], fileBytes: number): void {
  const placed = entries.toSorted((one, other) => one.relativeOffsetOfLocalHeader - other.relativeOffsetOfLocalHeader);
  for (const [at, { relativeOffsetOfLocalHeader: from, fileNameLength, compressedSize }] of placed.entries()) {
    const next = placed[at + 1]?.relativeOffsetOfLocalHeader ?? fileBytes;
    if (from + HEADER_BYTES + fileNameLength + compressedSize > next)
      throw new ArchiveError('Files of the archive share bytes, or lie beyond its end. No export writes such.');
  }
}
