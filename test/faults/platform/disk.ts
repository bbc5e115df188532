import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';

const LARGE = '2g';

/** A disk of its own in memory, whose room is taken away and given back; nothing is written to fill it. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /** Mounts it on a folder; undefined where this process may not, and why is in `reason`. */
  static mount(folder: string): { disk?: SmallDisk; reason?: string } {
    mkdirSync(folder, { recursive: true });
    const { status, stderr, error } = spawnSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${LARGE}`,
      'wharf-faults',
      folder,
    ]);
    if (status === 0) {
      const disk = new SmallDisk(folder);
      // However this process ends in order, the disk does not stay.
      process.once('exit', () => disk.unmount());
      return { disk };
    }
    return { reason: `no tmpfs can be mounted here: ${error?.message ?? stderr.toString().trim()}` };
  }

  /** No room is left from now on. */
  fill(): void {
    const { blocks, bfree, bsize } = statfsSync(this.folder);
    this.#resize(String((blocks - bfree) * bsize));
  }

  /** There is room again. */
  free(): void {
    this.#resize(LARGE);
  }

  unmount(): void {
    spawnSync('umount', ['--lazy', this.folder]);
  }

  #resize(size: string): void {
    const { status, stderr } = spawnSync('mount', ['-o', `remount,size=${size}`, this.folder]);
    if (status !== 0) throw new Error(`the disk at ${this.folder} could not be resized: ${stderr.toString()}`);
  }
}
