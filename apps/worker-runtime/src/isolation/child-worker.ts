import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { FrameDecoder, FrameWriter, type ToRunnerFrame } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import { readRunnerFrame } from './runner-frame.js';
import type { WorkerExit, WorkerListener, WorkerOwner, WorkerProcess } from './worker-driver.js';
import { WorkerLog } from './worker-log.js';

const STOP_GRACE_MS = 2_000;
const PIPE = 3;
const OUTLET = 5;
/** A program that ran another one tells with which signal it ended by adding this to its number. */
const BY_SIGNAL = 128;

/** A runner as a child process, with its frames on descriptor 3. */
export class ChildWorker implements WorkerProcess {
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
  constructor(child: ChildProcess, logger: Logger, onExit: () => void, end: () => void = () => child.kill('SIGKILL')) {
    this.#child = child;
    this.#end = end;
    this.#pipe = child.stdio[PIPE] as Duplex; // spawned with 'pipe' at this place, which is a duplex socket
    this.#writer = new FrameWriter(this.#pipe);
    this.#logger = logger;
    this.#log = new WorkerLog(logger, child.pid);
    this.#log.drain(child.stdout);
    this.#log.drain(child.stderr);
    this.#readFrames();
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

  /** Process id, while there is one. */
  get pid(): number | undefined {
    return this.#child.pid;
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
    this.#pipe.destroy(); // what it has to say is no longer heard
    this.#end();
  }

  #readFrames(): void {
    const decoder = new FrameDecoder<unknown>();
    this.#pipe.on('data', (chunk: Buffer) => {
      try {
        for (const { header, payload } of decoder.push(chunk)) this.#receive(header, payload);
      } catch (error) {
        this.#logger.error({ error: String(error), pid: this.pid }, 'worker stopped: it sent what is no frame');
        this.kill();
      }
    });
    this.#pipe.on('error', () => undefined); // the exit says it
  }

  #receive(header: unknown, payload: Buffer): void {
    const frame = readRunnerFrame(header);
    if (frame === undefined) throw new Error('unknown frame');
    this.#listener?.onFrame(frame, payload);
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
