import { duplexPair, pipeline, type Duplex } from 'node:stream';
import { FrameWriter, type ToRunnerFrame } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import { hearFrames } from '../hear-frames.js';
import type { WorkerExit, WorkerListener, WorkerOwner, WorkerProcess } from '../worker-driver.js';

const STOP_GRACE_MS = 2_000;

interface EarlyFrame {
  readonly frame: ToRunnerFrame;
  readonly payload: Uint8Array | undefined;
}

/** The way out of the code in a pod: what its worker has of it, and what its connection will be joined to. */
interface Outlet {
  readonly near: Duplex;
  readonly far: Duplex;
  socket: Duplex | undefined;
}

/**
 * A runner in a pod.
 *
 *     starting ──connect──► connected ──its connection ends, kill──► ended
 *
 * One that runs code of others has a second connection, its outlet, which waits for the pod in the same way.
 *
 *     starting ──kill, end──► ended
 */
export class PodWorker implements WorkerProcess {
  readonly startMsMax: number;
  readonly #logger: Logger;
  readonly #onExit: (exit: WorkerExit) => void;
  #connection: { readonly socket: Duplex; readonly writer: FrameWriter<ToRunnerFrame> } | undefined;
  #early: EarlyFrame[] = [];
  #earlyBytes = 0;
  #owner: WorkerOwner | undefined;
  #listener: WorkerListener | undefined;
  #exit: WorkerExit | undefined;
  #killer: NodeJS.Timeout | undefined;
  readonly #outlet: Outlet | undefined;

  /** `onExit` comes once, when nothing more is to be expected of the pod. */
  constructor(
    readonly name: string,
    { startMsMax, outlet }: { readonly startMsMax: number; readonly outlet: boolean },
    logger: Logger,
    onExit: (exit: WorkerExit) => void,
  ) {
    this.startMsMax = startMsMax;
    this.#logger = logger;
    this.#onExit = onExit;
    this.#outlet = outlet ? openOutlet() : undefined;
    this.#outlet?.near.once('close', () => this.#closeOutlet());
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

  /** Whether its pod has called for all that it has. */
  get complete(): boolean {
    return this.connected && (this.#outlet === undefined || this.#outlet.socket !== undefined);
  }

  /** Whose it is, once it is somebody's. */
  get owner(): WorkerOwner | undefined {
    return this.#owner;
  }

  get outlet(): Duplex | undefined {
    return this.#outlet?.near;
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

  /** The pod has called for the way out of its code. */
  connectOutlet(socket: Duplex): void {
    if (this.#exit !== undefined || this.#outlet === undefined) {
      socket.destroy();
      return;
    }
    const { far } = this.#outlet;
    this.#outlet.socket = socket;
    pipeline(socket, far, socket, () => this.#closeOutlet());
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
    this.#closeOutlet();
    queueMicrotask(() => {
      this.#onExit(exit);
      this.#listener?.onExit(exit);
    });
  }

  #closeOutlet(): void {
    const { near, far, socket } = this.#outlet ?? {};
    for (const end of [near, far, socket]) end?.destroy();
  }
}

function openOutlet(): Outlet {
  const [near, far] = duplexPair();
  for (const end of [near, far]) end.on('error', () => undefined); // its end says it
  return { near, far, socket: undefined };
}
