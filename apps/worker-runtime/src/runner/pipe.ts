import type { Duplex } from 'node:stream';
import {
  FrameDecoder,
  FrameError,
  FrameWriter,
  type Frame,
  type FromRunnerFrame,
  type ToRunnerFrame,
} from '#libs/protocol';

/** A frame of the worker-runtime, as the runner receives it. */
export type RuntimeFrameReceived = Frame<ToRunnerFrame>;

/** The runner's end of its pipe to the worker-runtime: frames in, frames out. */
export class RunnerPipe {
  readonly #socket: Duplex;
  readonly #decoder = new FrameDecoder<ToRunnerFrame>();
  readonly #writer: FrameWriter<FromRunnerFrame>;

  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#writer = new FrameWriter(socket);
  }

  /** Hears every frame in order; `onEnd` comes once, when the pipe is closed or carries what is no frame. */
  listen(onFrame: (frame: RuntimeFrameReceived) => void, onEnd: () => void): void {
    this.#socket.on('data', (chunk: Buffer) => this.#decode(chunk).forEach(onFrame));
    this.#socket.once('close', onEnd);
    this.#socket.on('end', () => this.#socket.destroy());
    this.#socket.on('error', () => this.#socket.destroy());
  }

  /** Sends one frame. */
  send(frame: FromRunnerFrame, payload?: Uint8Array): void {
    this.#writer.send(frame, payload);
  }

  /** Resolves when everything sent so far has been handed over; nothing can be sent afterwards. */
  finish(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  #decode(chunk: Buffer): RuntimeFrameReceived[] {
    try {
      return this.#decoder.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#socket.destroy();
      return [];
    }
  }
}
