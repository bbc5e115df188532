import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What the kernel holds a worker's processes to, together. */
export interface CgroupLimits {
  readonly memoryBytes: number;
  readonly processes: number;
}

const CONTROLLERS = ['cpu', 'memory', 'pids'];
const PERIOD_US = 100_000;
const CORES = 1.5;

/** Where a process is in the unified hierarchy, as the system tells. */
export interface OwnCgroup {
  /** The mounted hierarchy. */
  readonly mount: string;
  /** Our folder below it. */
  readonly folder: string;
}

/** Our own cgroup; undefined where there is no cgroup v2. */
export function ownCgroup(): OwnCgroup | undefined {
  try {
    const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1];
    const place = /^0::(\/.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
    return mount === undefined || place === undefined ? undefined : { mount, folder: path.join(mount, place) };
  } catch {
    return undefined; // not Linux
  }
}

/**
 * A cgroup v2 folder that the host has delegated to us (systemd: `Delegate=yes`): each worker gets a folder of its own
 * below it. A folder with children may hold no processes, so we move into one ourselves.
 */
export class Cgroups {
  readonly #folder: string;
  #last = 0;
  /** Folders of workers that have ended whose last process was not reaped yet. */
  readonly #left = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes up the delegation; undefined where there is none, or where others share the folder with us. */
  static open(own: OwnCgroup | undefined): Cgroups | undefined {
    if (own === undefined || !isDelegated(own.folder)) return undefined;
    const { folder } = own;
    const ourselves = path.join(folder, 'wharf-runtime');
    try {
      mkdirSync(ourselves, { recursive: true });
      move(ourselves);
      writeFileSync(path.join(folder, 'cgroup.subtree_control'), CONTROLLERS.map((name) => `+${name}`).join(' '));
      return new Cgroups(folder);
    } catch {
      moveBack(folder, ourselves);
      return undefined;
    }
  }

  /** Makes a worker's folder, whose `cgroup.procs` it is started through. */
  make({ memoryBytes, processes }: CgroupLimits): string {
    const folder = path.join(this.#folder, `wharf-worker-${process.pid}-${++this.#last}`);
    mkdirSync(folder);
    const settings = {
      'memory.max': `${memoryBytes}`,
      'memory.oom.group': '1',
      'pids.max': `${processes}`,
      'cpu.max': `${CORES * PERIOD_US} ${PERIOD_US}`,
    };
    for (const [name, value] of Object.entries(settings)) writeFileSync(path.join(folder, name), value);
    const swap = path.join(folder, 'memory.swap.max');
    if (existsSync(swap)) writeFileSync(swap, '0');
    return folder;
  }

  /** Removes the folder of a worker that has ended. */
  remove(folder: string): void {
    this.#left.add(folder);
    for (const left of this.#left) {
      try {
        rmdirSync(left);
        this.#left.delete(left);
      } catch {
        // Its last process is not reaped yet: it goes with the next.
      }
    }
  }
}

function isDelegated(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    accessSync(path.join(folder, 'cgroup.subtree_control'), constants.W_OK);
    const offered = readFileSync(path.join(folder, 'cgroup.controllers'), 'utf8').trim().split(' ');
    return CONTROLLERS.every((name) => offered.includes(name));
  } catch {
    return false;
  }
}

function move(folder: string): void {
  writeFileSync(path.join(folder, 'cgroup.procs'), `${process.pid}`);
}

function moveBack(folder: string, ourselves: string): void {
  try {
    move(folder);
    rmdirSync(ourselves);
  } catch {
    // Where we could not move, there is nothing to undo.
  }
}
