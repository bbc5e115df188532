import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { CliProblem } from '../problem.js';

const ENTRIES_MAX = 5000;
const LEFT_OUT = new Set(['.git', '.DS_Store', '.wharf', '.env']);

/** A folder with a `manifest.json` as an MCP bundle: a zip archive that is the same for the same files. */
export async function packFolder(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.split(path.sep).some((part) => LEFT_OUT.has(part)))
    .sort();
  if (files.length > ENTRIES_MAX) {
    throw new CliProblem(`${folder} has ${files.length} files; a bundle has at most ${ENTRIES_MAX}.`);
  }
  const archive = new ZipFile();
  const mtime = new Date(Date.UTC(2000, 0, 1));
  for (const file of files) {
    archive.addFile(path.join(folder, file), file.split(path.sep).join('/'), { mtime, mode: 0o100644 });
  }
  archive.end();
  return new Uint8Array(await buffer(archive.outputStream));
}
