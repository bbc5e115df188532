import { existsSync } from 'node:fs';
import path from 'node:path';
import { libraryFoldersBelow, programOnPath, unpackDistributionPackage } from './distribution-package.js';
import { EmbeddedError } from './embedded-error.js';

const PROGRAMS = ['valkey-server', 'redis-server'];
const ADVICE = 'install Redis or Valkey so that redis-server or valkey-server is on the PATH, or set REDIS_URL';

/** A program and the libraries that came with it. */
export interface RedisBinary {
  readonly program: string;
  readonly libraries: readonly string[];
}

function unpackedIn(folder: string): RedisBinary | undefined {
  const program = PROGRAMS.map((name) => path.join(folder, 'usr', 'bin', name)).find((file) => existsSync(file));
  if (program === undefined) return undefined;
  return { program, libraries: libraryFoldersBelow(folder) };
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
    await unpackDistributionPackage('redis-server', folder);
  } catch (error) {
    throw new EmbeddedError(`No Redis was found and the distribution's package could not be fetched; ${ADVICE}.`, {
      cause: error,
    });
  }
  const fetched = unpackedIn(folder);
  if (fetched === undefined) throw new EmbeddedError(`The distribution's Redis package holds no server; ${ADVICE}.`);
  return fetched;
}
