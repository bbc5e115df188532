import { execFileSync } from 'node:child_process';
import { availableParallelism, setPriority } from 'node:os';
import { performance } from 'node:perf_hooks';
import { ask, startProgram, type Program } from '../servers/program.js';

/** A time at which a processor did not run what should have run before everything else: on the clock, in ms. */
export interface Stall {
  readonly fromMs: number;
  readonly toMs: number;
}

const HIGHEST_PRIORITY = -20;
const EVERY_MS = 1;
/** What is later than this was kept waiting by the machine below this one, not by anything on it. */
const LATE_MS = 2;

/**
 * Watches each processor with a program that wakes before all others and does nothing: a virtual machine's processors are given to
 * others now and then, for milliseconds, and no program on it can do anything about that.
 */
export class StallWatch {
  private constructor(private readonly programs: readonly Program[]) {}

  /** Undefined where programs may not be given a processor of their own and the highest priority. */
  static async start(): Promise<StallWatch | undefined> {
    const programs = await Promise.all(Array.from({ length: availableParallelism() }, () => startProgram('watch')));
    try {
      for (const [processor, { pid }] of programs.entries()) {
        execFileSync('taskset', ['-apc', String(processor), String(pid)], { stdio: 'ignore' });
        setPriority(pid, HIGHEST_PRIORITY);
      }
      return new StallWatch(programs);
    } catch {
      for (const program of programs) program.stop();
      return undefined;
    }
  }

  /** Ends; all that was seen. */
  async stop(): Promise<readonly Stall[]> {
    const seen = (await Promise.all(this.programs.map((program) => ask(program, 'end')))) as Stall[][]; // our own program
    for (const program of this.programs) program.stop();
    return seen.flat();
  }
}

/** The program: writes down when it woke late. */
export function watchStalls(): void {
  const stalls: Stall[] = [];
  let wokeMs = performance.now();
  setInterval(() => {
    const nowMs = performance.now();
    const lateMs = nowMs - wokeMs - EVERY_MS;
    wokeMs = nowMs;
    if (lateMs > LATE_MS) stalls.push({ fromMs: Date.now() - lateMs, toMs: Date.now() });
  }, EVERY_MS);
  process.on('message', () => process.send?.(stalls));
}
