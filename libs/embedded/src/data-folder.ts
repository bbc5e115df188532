import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedError } from './embedded-error.js';
import { isRunning, startTimeOf } from './process-table.js';

/** A data folder that this process alone uses until it is released. */
export interface DataFolder {
  readonly root: string;
  /** A private folder below it, made where it is missing. */
  folder(name: string): string;
  release(): void;
}

interface Holder {
  readonly pid: number;
  /** When that process started, so that a reused pid is not taken for it. */
  readonly startTime: string;
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder; // written by this module
  } catch {
    return undefined;
  }
}

function take(file: string): void {
  writeFileSync(file, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) } satisfies Holder), {
    flag: 'wx',
  });
}

function lock(root: string): string {
  const file = path.join(root, 'lock');
  try {
    take(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = readHolder(file);
    if (holder !== undefined && isRunning(holder.pid, holder.startTime)) {
      throw new EmbeddedError(
        `Wharf already runs with the data folder ${root} (process ${holder.pid}); stop it, or set WHARF_DATA_DIR to another folder.`,
      );
    }
    rmSync(file, { force: true });
    take(file);
  }
  return file;
}

/**
 * Takes a data folder for this process, making it where it is missing.
 * @throws EmbeddedError when it cannot be written or another process uses it
 */
export function openDataFolder(folder: string): DataFolder {
  const root = path.resolve(folder);
  let file: string;
  try {
    mkdirSync(root, { recursive: true });
    file = lock(root);
  } catch (error) {
    if (error instanceof EmbeddedError) throw error;
    throw new EmbeddedError(
      `The data folder ${root} cannot be written; make it writable, or set WHARF_DATA_DIR to a folder that is.`,
      { cause: error },
    );
  }
  return {
    root,
    folder(name) {
      const below = path.join(root, name);
      mkdirSync(below, { recursive: true });
      chmodSync(below, 0o700);
      return below;
    },
    release: () => rmSync(file, { force: true }),
  };
}
