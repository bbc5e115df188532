import { existsSync } from 'node:fs';
import path from 'node:path';
import { programOnPath, unpackDistributionPackage } from './distribution-package.js';

/**
 * Prometheus's `promtool`, which rules are tried with: from the PATH, else from the distribution's package, fetched once
 * into `cacheFolder`; undefined where neither can be had.
 */
export async function findPromtool(cacheFolder: string): Promise<string | undefined> {
  const installed = programOnPath(['promtool']);
  if (installed !== undefined) return installed;
  const folder = path.join(cacheFolder, 'prometheus');
  const program = path.join(folder, 'usr', 'bin', 'promtool');
  if (existsSync(program)) return program;
  if (programOnPath(['apt-get']) === undefined) return undefined;
  try {
    await unpackDistributionPackage('prometheus', folder);
  } catch {
    return undefined; // the caller says that it is missing
  }
  return existsSync(program) ? program : undefined;
}
