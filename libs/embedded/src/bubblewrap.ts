import { existsSync } from 'node:fs';
import path from 'node:path';
import { libraryFoldersBelow, programOnPath, unpackDistributionPackage } from './distribution-package.js';

/** Bubblewrap's program, and the folders of the libraries that came with it. */
export interface Bubblewrap {
  readonly program: string;
  readonly libraries: readonly string[];
}

function unpackedIn(folder: string): Bubblewrap | undefined {
  const program = path.join(folder, 'usr', 'bin', 'bwrap');
  return existsSync(program) ? { program, libraries: libraryFoldersBelow(folder) } : undefined;
}

/**
 * What workers are sandboxed with: `bwrap` from the PATH, else the distribution's package, fetched once into
 * `cacheFolder`; undefined where neither can be had. Whether it works here, the worker-runtime finds out.
 */
export async function findBubblewrap(cacheFolder: string): Promise<Bubblewrap | undefined> {
  if (process.platform !== 'linux') return undefined;
  const installed = programOnPath(['bwrap']);
  if (installed !== undefined) return { program: installed, libraries: [] };
  const folder = path.join(cacheFolder, 'bubblewrap');
  const cached = unpackedIn(folder);
  if (cached !== undefined || programOnPath(['apt-get']) === undefined) return cached;
  try {
    await unpackDistributionPackage('bubblewrap', folder);
  } catch {
    return undefined; // the worker-runtime says that it is missing
  }
  return unpackedIn(folder);
}

/** The worker-runtime's keys that name it. */
export function bubblewrapEnvironment(found: Bubblewrap | undefined): Readonly<Record<string, string>> {
  if (found === undefined) return {};
  return {
    WHARF_BUBBLEWRAP: found.program,
    ...(found.libraries.length === 0 ? {} : { WHARF_BUBBLEWRAP_LIBRARIES: found.libraries.join(':') }),
  };
}
