import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import type { Logger } from '#libs/telemetry';
import type { WorkerListener, WorkerOwner, WorkerProcess } from './worker-driver.js';

const NO_MS = 0;

/** A worker that the system had no room for: it has ended before it began, which whoever gets it hears. */
class NotStarted implements WorkerProcess {
  readonly startMsMax = NO_MS;
  readonly alive = false;
  readonly pendingBytes = 0;
  readonly outlet = undefined;

  assign(_owner: WorkerOwner, listener: WorkerListener): void {
    queueMicrotask(() => listener.onExit({ code: null, signal: null }));
  }

  send(): void {} // nobody takes it
  stop(): void {}
  kill(): void {}
}

/** What `start` starts; where the system refuses it descriptors, processes or disk, one that has ended. `undo` removes what it stood on. */
export function startOrEnded(start: () => WorkerProcess, undo: () => void, logger: Logger): WorkerProcess {
  try {
    return start();
  } catch (error) {
    logger.error({ error: String(error) }, 'worker could not be started');
    undo();
    return new NotStarted();
  }
}

/** Starts a worker's first process. @throws Error where there are no descriptors left for its pipes */
export function spawnWorker(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(program, args, options);
  // Node then makes no pipes, whatever its types say, and tells by an event, which ends who does not hear it.
  const pipes = child.stdio as readonly unknown[] | undefined;
  if (pipes !== undefined) return child;
  child.on('error', () => undefined);
  throw new Error('the system has no descriptors left for a worker');
}
