import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { processEnvironment } from '#libs/config';
import { EmbeddedError } from './embedded-error.js';

const run = promisify(execFile);
const PROGRAMS = ['valkey-server', 'redis-server'];
const FETCH_MS = 120_000;
const ADVICE = 'install Redis or Valkey so that redis-server or valkey-server is on the PATH, or set REDIS_URL';

function programOnPath(programs: readonly string[]): string | undefined {
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

/** Debian's and Ubuntu's package unpacked into a folder, without root and without installing anything. */
async function fetchPackage(folder: string): Promise<void> {
  const work = `${folder}.${process.pid}`;
  const unpacked = path.join(work, 'unpacked');
  for (const below of ['lists/partial', 'archives/partial', 'unpacked'])
    mkdirSync(path.join(work, below), { recursive: true });
  const options = ['-o', `Dir::State::Lists=${work}/lists`, '-o', `Dir::Cache=${work}`, '-o', 'APT::Sandbox::User='];
  const bounds = { cwd: work, timeout: FETCH_MS, maxBuffer: 16 * 1024 * 1024 };
  try {
    await run('apt-get', [...options, '-o', 'Acquire::Languages=none', 'update'], bounds);
    const { stdout } = await run(
      'apt-get',
      [...options, '-s', '-o', 'Debug::NoLocking=1', 'install', '--no-install-recommends', 'redis-server'],
      bounds,
    );
    const packages = [...stdout.matchAll(/^Inst (\S+)/gm)].flatMap(([, name]) => (name === undefined ? [] : [name]));
    await run('apt-get', [...options, 'download', ...packages], bounds);
    for (const file of readdirSync(work).filter((name) => name.endsWith('.deb')))
      await run('dpkg', ['-x', file, unpacked], bounds);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unpacked, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A program and the libraries that came with it. */
export interface RedisBinary {
  readonly program: string;
  readonly libraries: readonly string[];
}

function unpackedIn(folder: string): RedisBinary | undefined {
  const program = PROGRAMS.map((name) => path.join(folder, 'usr', 'bin', name)).find((file) => existsSync(file));
  if (program === undefined) return undefined;
  const lib = path.join(folder, 'usr', 'lib');
  const entries = existsSync(lib) ? readdirSync(lib, { recursive: true, withFileTypes: true }) : [];
  const libraries = new Set(entries.filter((entry) => entry.name.includes('.so')).map((entry) => entry.parentPath));
  return { program, libraries: [...libraries] };
}

/**
 * A Redis server's program: from the PATH, else the distribution's package, fetched once into `cacheFolder`.
 * @throws EmbeddedError where none can be had
 */
export async function provideRedisBinary(cacheFolder: string): Promise<RedisBinary> {
  const installed = programOnPath(PROGRAMS);
  if (installed !== undefined) return { program: installed, libraries: [] };
  const folder = path.join(cacheFolder, 'redis');
  const cached = unpackedIn(folder);
  if (cached !== undefined) return cached;
  if (programOnPath(['apt-get']) === undefined) throw new EmbeddedError(`No Redis was found; ${ADVICE}.`);
  try {
    await fetchPackage(folder);
  } catch (error) {
    throw new EmbeddedError(`No Redis was found and the distribution's package could not be fetched; ${ADVICE}.`, {
      cause: error,
    });
  }
  const fetched = unpackedIn(folder);
  if (fetched === undefined) throw new EmbeddedError(`The distribution's Redis package holds no server; ${ADVICE}.`);
  return fetched;
}
