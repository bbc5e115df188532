import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { processEnvironment } from '#libs/config';

const run = promisify(execFile);
const FETCH_MS = 120_000;

/** The first of these programs that is on the PATH. */
export function programOnPath(programs: readonly string[]): string | undefined {
  const folders = (processEnvironment()['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return programs
    .flatMap((program) => folders.map((folder) => path.join(folder, program)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const unpacking = new Map<string, Promise<void>>();

/**
 * Debian's or Ubuntu's package, and what it needs that is not installed, unpacked into a folder: without root and
 * without installing anything. Who asks for the same folder meanwhile waits for the same package; of two processes,
 * the first to finish fills the folder. @throws Error where the system has no such packages or they cannot be fetched
 */
export async function unpackDistributionPackage(name: string, folder: string): Promise<void> {
  const begun = unpacking.get(folder);
  if (begun !== undefined) return begun;
  const unpacked = fetchAndUnpack(name, folder).finally(() => unpacking.delete(folder));
  unpacking.set(folder, unpacked);
  return unpacked;
}

async function fetchAndUnpack(name: string, folder: string): Promise<void> {
  const work = `${folder}.${process.pid}`;
  const unpacked = path.join(work, 'unpacked');
  for (const below of ['lists/partial', 'archives/partial', 'unpacked'])
    mkdirSync(path.join(work, below), { recursive: true });
  const options = ['-o', `Dir::State::Lists=${work}/lists`, '-o', `Dir::Cache=${work}`, '-o', 'APT::Sandbox::User='];
  const bounds = { cwd: work, env: processEnvironment(), timeout: FETCH_MS, maxBuffer: 16 * 1024 * 1024 };
  try {
    await run('apt-get', [...options, '-o', 'Acquire::Languages=none', 'update'], bounds);
    const { stdout } = await run(
      'apt-get',
      [...options, '-s', '-o', 'Debug::NoLocking=1', 'install', '--no-install-recommends', name],
      bounds,
    );
    const packages = [...stdout.matchAll(/^Inst (\S+)/gm)].flatMap(([, found]) => (found === undefined ? [] : [found]));
    await run('apt-get', [...options, 'download', ...packages], bounds);
    for (const file of readdirSync(work).filter((entry) => entry.endsWith('.deb')))
      await run('dpkg', ['-x', file, unpacked], bounds);
    if (!existsSync(folder)) putInPlace(unpacked, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A folder that is there already was filled by another process at the same moment, with the same package. */
function putInPlace(unpacked: string, folder: string): void {
  try {
    renameSync(unpacked, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

/** The folders below one that hold shared libraries. */
export function libraryFoldersBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return [...new Set(entries.filter((entry) => entry.name.includes('.so')).map((entry) => entry.parentPath))];
}
