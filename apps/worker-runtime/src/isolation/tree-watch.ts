import { statfsSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '#libs/telemetry';
import { ProcessTable } from './process-table.js';
import { noteMemory } from './worker-memory.js';

const CHECK_MS = 1_000;
/** A runner computes on one core; past this many over the whole window, something else runs in its place. */
const CORES_MAX = 1.5;
const WINDOW_CHECKS = 20;

/** A worker as the watch sees it. */
export interface Watched {
  /** Process id of the tree's root, while there is one. */
  readonly pid: number | undefined;
  kill(): void;
}

/** What a worker may hold. */
export interface TreeLimits {
  /** Without it, the kernel holds the tree to its memory and processor time, and only its files are counted. */
  readonly bytesMax?: number;
  /** Its folder in memory, as the worker sees it, and how many files may be there. */
  readonly scratch?: { readonly folder: string; readonly filesMax: number };
}

interface Watch extends TreeLimits {
  /** Processor time at the last checks, oldest first. */
  readonly cpuMs: number[];
}

/** Ends workers whose processes together hold more memory or use more processor than they may. */
export class TreeWatch {
  readonly #logger: Logger;
  readonly #watched = new Map<Watched, Watch>();
  readonly #timer: NodeJS.Timeout;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#timer = setInterval(() => this.#check(), CHECK_MS).unref();
  }

  /** Watches a worker until it is forgotten. */
  add(worker: Watched, limits: TreeLimits): void {
    this.#watched.set(worker, { ...limits, cpuMs: [] });
  }

  /** Forgets a worker that has ended. */
  forget(worker: Watched): void {
    this.#watched.delete(worker);
    noteMemory(worker, undefined);
  }

  /** Watches nobody any more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    if (this.#watched.size === 0) return;
    const processes = new ProcessTable();
    for (const [worker, watch] of this.#watched) {
      const { pid } = worker;
      const excess = pid === undefined ? undefined : excessOf(worker, watch, processes, pid);
      if (excess === undefined) continue;
      this.#logger.warn({ pid, ...excess }, 'worker stopped: it held more than it may');
      worker.kill();
    }
  }
}

/** What a tree has too much of, for the log. */
function excessOf(
  worker: Watched,
  watch: Watch,
  processes: ProcessTable,
  pid: number,
): Record<string, number> | undefined {
  const { bytes, cpuMs } = processes.useOf(pid);
  const scratch = scratchUse(watch, processes.treeOf(pid));
  const held = bytes + scratch.bytes;
  noteMemory(worker, held);
  if (watch.bytesMax !== undefined && held > watch.bytesMax) return { bytes: held, bytesMax: watch.bytesMax };
  const filesMax = watch.scratch?.filesMax ?? 0;
  if (scratch.files > filesMax) return { files: scratch.files, filesMax };
  if (watch.bytesMax === undefined) return undefined;
  const cores = coresOf(watch, cpuMs);
  return cores > CORES_MAX ? { cores, coresMax: CORES_MAX } : undefined;
}

/** What lies in a worker's folder: memory of no process. The second process of a tree is the first inside. */
function scratchUse({ scratch }: Watch, [, inside]: readonly number[]): { bytes: number; files: number } {
  if (scratch === undefined || inside === undefined) return { bytes: 0, files: 0 };
  try {
    const found = statfsSync(path.join(`/proc/${inside}/root`, scratch.folder));
    return { bytes: (found.blocks - found.bfree) * found.bsize, files: found.files - found.ffree };
  } catch {
    return { bytes: 0, files: 0 }; // it is just being made, or has just ended
  }
}

/** Cores in use on average over the window; 0 until it is full. */
function coresOf({ cpuMs }: Watch, nowMs: number): number {
  cpuMs.push(nowMs);
  if (cpuMs.length <= WINDOW_CHECKS) return 0;
  return (nowMs - (cpuMs.shift() ?? 0)) / (WINDOW_CHECKS * CHECK_MS);
}
