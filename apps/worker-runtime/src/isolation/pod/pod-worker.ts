import type { Duplex } from 'node:stream';
import { FrameWriter, type ToRunnerFrame } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import { hearFrames } from '../hear-frames.js';
import type { WorkerExit, WorkerListener, WorkerOwner, WorkerProcess } from '../worker-driver.js';

const STOP_GRACE_MS = 2_000;

interface EarlyFrame {
  readonly frame: ToRunnerFrame;
  readonly payload: Uint8Array | undefined;
}

/**
 * A runner in a pod.
 *
 *     starting ──connect──► connected ──its connection ends, kill──► ended
 *     starting ──kill, end──► ended
 */
export class PodWorker implements WorkerProcess {
  readonly #logger: Logger;
  readonly #onExit: (exit: WorkerExit) => void;
  #connection: { readonly socket: Duplex; readonly writer: FrameWriter<ToRunnerFrame> } | undefined;
  #early: EarlyFrame[] = [];
  #earlyBytes = 0;
  #owner: WorkerOwner | undefined;
  #listener: WorkerListener | undefined;
  #exit: WorkerExit | undefined;
  #killer: NodeJS.Timeout | undefined;

  /** `onExit` comes once, when nothing more is to be expected of the pod. */
  constructor(
    readonly name: string,
    readonly startMsMax: number,
    logger: Logger,
    onExit: (exit: WorkerExit) => void,
  ) {
    this.#logger = logger;
    this.#onExit = onExit;
  }

  get alive(): boolean {
    return this.#exit === undefined && this.#killer === undefined;
  }

  get pendingBytes(): number {
    return this.#connection?.writer.pendingBytes ?? this.#earlyBytes;
  }

  /** Whether its pod has called. */
  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Whose it is, once it is somebody's. */
  get owner(): WorkerOwner | undefined {
    return this.#owner;
  }

  /** Third-party code in a pod has no way out. */
  get outlet(): undefined {
    return undefined;
  }

  assign(owner: WorkerOwner, listener: WorkerListener): void {
    this.#owner = owner;
    this.#listener = listener;
    const exit = this.#exit;
    if (exit !== undefined) queueMicrotask(() => listener.onExit(exit));
  }

  /** The pod has called: what waited goes to it. */
  connect(socket: Duplex): void {
    if (this.#exit !== undefined) {
      socket.destroy();
      return;
    }
    const writer = new FrameWriter<ToRunnerFrame>(socket);
    this.#connection = { socket, writer };
    hearFrames(socket, {
      onFrame: (frame, payload) => this.#listener?.onFrame(frame, payload),
      onFault: (error) => {
        this.#logger.error({ error: String(error), pod: this.name }, 'worker stopped: it sent what is no frame');
        this.kill();
      },
    });
    socket.once('close', () => this.end({ code: null, signal: null }));
    for (const { frame, payload } of this.#early) writer.send(frame, payload);
    this.#early = [];
    this.#earlyBytes = 0;
  }

  send(frame: ToRunnerFrame, payload?: Uint8Array): void {
    if (this.#connection !== undefined) {
      this.#connection.writer.send(frame, payload);
    } else if (this.#exit === undefined) {
      this.#early.push({ frame, payload });
      this.#earlyBytes += payload?.length ?? 0;
    }
  }

  stop(): void {
    if (!this.alive) return;
    if (this.#connection === undefined) {
      this.kill();
      return;
    }
    this.#connection.socket.end();
    this.#killer = setTimeout(() => this.kill(), STOP_GRACE_MS).unref();
  }

  kill(): void {
    this.end({ code: null, signal: 'SIGKILL' });
  }

  /** It is gone; whoever waits for it hears so in a moment. */
  end(exit: WorkerExit): void {
    if (this.#exit !== undefined) return;
    this.#exit = exit;
    clearTimeout(this.#killer);
    this.#early = [];
    this.#connection?.socket.destroy();
    queueMicrotask(() => {
      this.#onExit(exit);
      this.#listener?.onExit(exit);
    });
  }
}
