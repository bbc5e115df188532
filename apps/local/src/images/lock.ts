import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ImageError } from './image-error.js';
import { isDigest } from './reference.js';

/** Which image stands behind each version that our files name. */
export const LOCK_FILE = 'images.lock.json';

const lock = z.strictObject({
  /** `name:version` → the digest that its registry gave; null until somebody has asked it. */
  images: z.record(
    z.string(),
    z.string().refine(isDigest, 'is no digest that a registry gives; run `npm run images -- pin`').nullable(),
  ),
});

/** `name:version` → digest, or null where no registry has been asked yet. */
export type Lock = ReadonlyMap<string, string | null>;

/** The lock file of a folder. @throws ImageError where it cannot be read */
export function readLock(root: string): Lock {
  try {
    return new Map(Object.entries(lock.parse(JSON.parse(readFileSync(path.join(root, LOCK_FILE), 'utf8'))).images));
  } catch (error) {
    throw new ImageError(
      `${LOCK_FILE} cannot be read (${error instanceof Error ? error.message : String(error)}); take it from the last commit.`,
      { cause: error },
    );
  }
}

/** Writes it in the order of names. */
export function writeLock(root: string, images: Lock): void {
  const sorted = Object.fromEntries([...images].toSorted(([one], [other]) => one.localeCompare(other)));
  writeFileSync(path.join(root, LOCK_FILE), `${JSON.stringify({ images: sorted }, null, 2)}\n`);
}
