import { existsSync } from 'node:fs';
import path from 'node:path';
import { programOnPath, unpackDistributionPackage } from './distribution-package.js';

/** Where Prometheus's programs are. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  /** What rules are tried with. */
  readonly promtool: string;
}

/**
 * Prometheus's programs: from the PATH, else from the distribution's package, fetched once into `cacheFolder`; undefined
 * where they cannot be had.
 */
export async function findPrometheus(cacheFolder: string): Promise<PrometheusPrograms | undefined> {
  const [installed, tool] = [programOnPath(['prometheus']), programOnPath(['promtool'])];
  if (installed !== undefined && tool !== undefined) return { prometheus: installed, promtool: tool };
  const folder = path.join(cacheFolder, 'prometheus');
  const programs = path.join(folder, 'usr', 'bin');
  const found = { prometheus: path.join(programs, 'prometheus'), promtool: path.join(programs, 'promtool') };
  if (existsSync(found.promtool)) return found;
  if (programOnPath(['apt-get']) === undefined) return undefined;
  try {
    await unpackDistributionPackage('prometheus', folder);
  } catch {
    return undefined; // the caller says that it is missing
  }
  return existsSync(found.promtool) ? found : undefined;
}
