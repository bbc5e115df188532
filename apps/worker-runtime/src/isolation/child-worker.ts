import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { FrameWriter, type ToRunnerFrame } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import { livingPid } from './end-child.js';
import { hearFrames } from './hear-frames.js';
import type { WorkerExit, WorkerListener, WorkerOwner, WorkerProcess } from './worker-driver.js';
import { WorkerLog } from './worker-log.js';

const START_MS_MAX = 15_000;
const STOP_GRACE_MS = 2_000;
const PIPE = 3;
const OUTLET = 5;
/** A program that ran another one tells with which signal it ended by adding this to its number. */
const BY_SIGNAL = 128;

/** A runner as a child process, with its frames on descriptor 3. */
export class ChildWorker implements WorkerProcess {
  readonly startMsMax = START_MS_MAX;
  readonly #child: ChildProcess;
  readonly #end: () => void;
  readonly #pipe: Duplex;
  readonly #writer: FrameWriter<ToRunnerFrame>;
  readonly #log: WorkerLog;
  readonly #logger: Logger;
  #listener: WorkerListener | undefined;
  #exit: WorkerExit | undefined;
  #killer: NodeJS.Timeout | undefined;

  /** `end` ends the child and everything below it, at once. */
  constructor(child: ChildProcess, logger: Logger, onExit: () => void, end: () => void) {
    this.#child = child;
    this.#end = end;
    this.#pipe = child.stdio[PIPE] as Duplex; // spawned with 'pipe' at this place, which is a duplex socket
    this.#writer = new FrameWriter(this.#pipe);
    this.#logger = logger;
    this.#log = new WorkerLog(logger, { pid: child.pid });
    this.#log.drain(child.stdout);
    this.#log.drain(child.stderr);
    hearFrames(this.#pipe, {
      onFrame: (frame, payload) => this.#listener?.onFrame(frame, payload),
      onFault: (error) => this.#notFrames(error),
    });
    this.outlet?.on('error', () => undefined); // the exit says it
    child.once('error', (error) => {
      logger.error({ error: error.message }, 'worker could not be started');
      this.#ended({ code: null, signal: null }, onExit);
    });
    child.once('close', (code, signal) => this.#ended(exitOf(code, signal), onExit));
  }

  get outlet(): Duplex | undefined {
    return (this.#child.stdio as readonly unknown[])[OUTLET] as Duplex | undefined; // as PIPE, where it was asked for
  }

  get alive(): boolean {
    return this.#exit === undefined && this.#killer === undefined;
  }

  get pendingBytes(): number {
    return this.#writer.pendingBytes;
  }

  /** Process id, while it is this worker's. */
  get pid(): number | undefined {
    return livingPid(this.#child);
  }

  assign(owner: WorkerOwner, listener: WorkerListener): void {
    this.#log.assign(owner);
    this.#listener = listener;
    const exit = this.#exit;
    if (exit !== undefined) queueMicrotask(() => listener.onExit(exit));
  }

  send(frame: ToRunnerFrame, payload?: Uint8Array): void {
    this.#writer.send(frame, payload);
  }

  stop(): void {
    if (!this.alive) return;
    this.#pipe.end();
    this.#killer = setTimeout(() => this.kill(), STOP_GRACE_MS).unref();
  }

  kill(): void {
    if (this.pid !== undefined) this.#end(); // before its pipe closes, which would have it end by itself
    this.#pipe.destroy(); // what it has to say is no longer heard
  }

  #notFrames(error: unknown): void {
    this.#logger.error({ error: String(error), pid: this.pid }, 'worker stopped: it sent what is no frame');
    this.kill();
  }

  #ended(exit: WorkerExit, onExit: () => void): void {
    if (this.#exit !== undefined) return;
    this.#exit = exit;
    clearTimeout(this.#killer);
    this.#pipe.destroy();
    onExit();
    this.#listener?.onExit(exit);
  }
}

function exitOf(code: number | null, signal: string | null): WorkerExit {
  const [name] = Object.entries(constants.signals).find(([, number]) => code === BY_SIGNAL + number) ?? [];
  return name === undefined ? { code, signal } : { code: null, signal: name };
}
