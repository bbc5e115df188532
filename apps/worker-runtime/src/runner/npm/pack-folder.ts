import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { ArchiveFault, ENTRIES_MAX, UNPACKED_BYTES_MAX } from '../bundles/archive.js';

/** The same for every file, so that the same packages are the same archive. */
const FILE = { mtime: new Date('2000-01-01T00:00:00Z'), mode: 0o100644, forceDosTimestamp: true };
/** What no program reads when it runs: type declarations, source maps, and npm's note of what lies in a folder. */
const LEFT_OUT = /\.d\.[cm]?ts$|\.[cm]?[jt]s\.map$|(^|\/)node_modules\/\.package-lock\.json$/;

/** A zip archive of a folder's files, without those that are read by tools for developers only. @throws ArchiveFault when there is too much of it */
export async function packFolder(folder: string): Promise<Buffer> {
  const zip = new ZipFile();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((name) => !LEFT_OUT.test(name))
    .toSorted();
  if (names.length > ENTRIES_MAX)
    throw new ArchiveFault(`They are ${names.length} files, and a worker holds at most ${ENTRIES_MAX}.`);
  let bytes = 0;
  for (const name of names) {
    const file = path.join(folder, name);
    bytes += (await stat(file)).size;
    if (bytes > UNPACKED_BYTES_MAX)
      throw new ArchiveFault(`They have more than ${UNPACKED_BYTES_MAX} bytes, which is more than a worker holds.`);
    zip.addBuffer(await readFile(file), name, FILE);
  }
  zip.end();
  return buffer(zip.outputStream);
}
