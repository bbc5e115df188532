import { readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Logger } from '#libs/telemetry';
import { childrenOf, ProcessTable } from './process-table.js';
import { noteMemory } from './worker-memory.js';

/** How many workers are looked at before others have their turn. */
const SLICE = 16;
/** A runner computes on one core; past this many over the whole window, something else runs in its place. */
const PACE: WatchPace = { everyMs: 1_000, windowChecks: 20, coresMax: 1.5 };
/** A tree whose memory changed by less than this is known well enough. */
const CHANGE_BYTES = 4 * 1024 * 1024;

/** A worker as the watch sees it. */
export interface Watched {
  /** Process id of the tree's root, while there is one. */
  readonly pid: number | undefined;
  kill(): void;
}

/** What a worker may hold, and who holds it to that. */
export interface TreeLimits {
  /** Bytes for the whole tree; or the cgroup in which the kernel counts them, and processor time, by itself. */
  readonly memory: { readonly bytesMax: number } | { readonly cgroup: string };
  /** Its folder in memory, as the worker sees it, and how many files may be there. */
  readonly scratch?: { readonly folder: string; readonly filesMax: number };
}

/** How often a watch looks, and how many cores a tree may use on average over how many looks. */
export interface WatchPace {
  readonly everyMs: number;
  readonly windowChecks: number;
  readonly coresMax: number;
}

interface Watch extends TreeLimits {
  /** Processor time so far at the last checks, oldest first. */
  readonly uses: Array<{ readonly cpuMs: number; readonly atMs: number }>;
  /** What the tree had when its processes were asked last, and how much of that was theirs alone. */
  known: { readonly residentBytes: number; readonly bytes: number };
}

/** What a tree has too much of, for the log; undefined while there is nothing. */
type Excess = Readonly<Record<string, number>> | undefined;

/** Ends workers whose processes together hold more memory or use more processor than they may. */
export class TreeWatch {
  readonly #logger: Logger;
  readonly #watched = new Map<Watched, Watch>();
  readonly #timer: NodeJS.Timeout;
  readonly #pace: WatchPace;
  #looks = false;

  constructor(logger: Logger, pace = PACE) {
    this.#logger = logger;
    this.#pace = pace;
    this.#timer = setInterval(() => void this.#look(), pace.everyMs).unref();
  }

  /** Watches a worker until it is forgotten. */
  add(worker: Watched, limits: TreeLimits): void {
    this.#watched.set(worker, { ...limits, uses: [], known: { residentBytes: 0, bytes: 0 } });
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

  /** Looks at all of them, in turns with everybody else: of a hundred workers the kernel is asked many hundred things. */
  async #look(): Promise<void> {
    if (this.#looks || this.#watched.size === 0) return;
    this.#looks = true;
    try {
      const counts = [...this.#watched.values()].some(({ memory }) => 'bytesMax' in memory);
      const processes = counts ? await ProcessTable.gather() : undefined;
      let looked = 0;
      for (const [worker, watch] of this.#watched) {
        this.#check(worker, watch, processes);
        looked += 1;
        if (looked % SLICE === 0) await othersTurn();
      }
    } finally {
      this.#looks = false;
    }
  }

  #check(worker: Watched, watch: Watch, processes: ProcessTable | undefined): void {
    const { pid } = worker;
    const excess = pid === undefined ? undefined : this.#excessOf(worker, watch, processes, pid);
    if (excess === undefined) return;
    this.#logger.warn({ pid, ...excess }, 'worker stopped: it held more than it may');
    worker.kill();
  }

  #excessOf(worker: Watched, watch: Watch, processes: ProcessTable | undefined, pid: number): Excess {
    const { memory, scratch } = watch;
    const { files, bytes } = scratch === undefined ? NO_SCRATCH : scratchUse(scratch.folder, pid);
    if (scratch !== undefined && files > scratch.filesMax) return { files, filesMax: scratch.filesMax };
    if ('cgroup' in memory) {
      noteMemory(worker, countedBytes(memory.cgroup));
      return undefined;
    }
    if (processes === undefined) return undefined; // it came while we looked
    const { residentBytes, cpuMs } = processes.useOf(pid);
    const { bytesMax } = memory;
    // What they have is never less than what is theirs alone, and costs nothing more to ask for.
    const changed = Math.abs(residentBytes - watch.known.residentBytes) > CHANGE_BYTES;
    if (changed || residentBytes + bytes > bytesMax) watch.known = { residentBytes, bytes: processes.ownBytesOf(pid) };
    const held = watch.known.bytes + bytes;
    noteMemory(worker, held);
    if (held > bytesMax) return { bytes: held, bytesMax };
    const cores = coresOf(watch, { cpuMs, atMs: performance.now() }, this.#pace.windowChecks);
    const { coresMax } = this.#pace;
    return cores > coresMax ? { cores, coresMax } : undefined;
  }
}

const NO_SCRATCH = { bytes: 0, files: 0 };

/** What lies in a worker's folder: memory of no process. The first process below bubblewrap is the first inside. */
function scratchUse(folder: string, pid: number): { bytes: number; files: number } {
  const [inside] = childrenOf(pid);
  if (inside === undefined) return NO_SCRATCH;
  try {
    const found = statfsSync(path.join(`/proc/${inside}/root`, folder));
    return { bytes: (found.blocks - found.bfree) * found.bsize, files: found.files - found.ffree };
  } catch {
    return NO_SCRATCH; // it is just being made, or has just ended
  }
}

/** What the kernel counts for a cgroup; undefined once it is gone. */
function countedBytes(cgroup: string): number | undefined {
  try {
    return Number(readFileSync(path.join(cgroup, 'memory.current'), 'latin1'));
  } catch {
    return undefined;
  }
}

/** Cores in use on average over the window; 0 until it is full. A look that comes late makes it longer. */
function coresOf({ uses }: Watch, now: Watch['uses'][number], windowChecks: number): number {
  uses.push(now);
  const first = uses.length > windowChecks ? uses.shift() : undefined;
  return first === undefined ? 0 : (now.cpuMs - first.cpuMs) / (now.atMs - first.atMs);
}
