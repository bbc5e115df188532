import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/** As `folderOf` names them: sorted by name is sorted by age. */
const MADE_BY_US = /^wharf-\d{8}T\d{6}Z$/;

/** The folder of the backup that is made now, below the one that holds the series. */
export async function folderOf(series: string, now: Date): Promise<string> {
  await mkdir(series, { recursive: true, mode: 0o700 });
  const stamp = now
    .toISOString()
    .replaceAll(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z');
  return path.join(series, `wharf-${stamp}`);
}

/**
 * Deletes all but the newest backups of a series, and what is left of ones that were broken off before them. Whatever
 * else is there stays. @returns the names of what was deleted
 */
export async function forgetOld(series: string, keep: number): Promise<string[]> {
  const names = (await readdir(series)).filter((name) => MADE_BY_US.test(name)).toSorted();
  const whole = names.filter((name) => existsSync(path.join(series, name, 'backup.json')));
  const oldestKept = whole.at(-keep);
  const forgotten = oldestKept === undefined ? [] : names.filter((name) => name < oldestKept);
  for (const name of forgotten) await rm(path.join(series, name), { recursive: true });
  return forgotten;
}
