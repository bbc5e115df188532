import type { Duplex } from 'node:stream';
import { encodeFrame, encodeFrameHead, FrameError } from './frames.js';

/** Larger payloads are not copied into their frame: buffers beyond Node's pool are costly to make and to collect. */
const COPIED_BYTES_MAX = 4 * 1024;

/**
 * Writes frames to a socket; frames of one turn of the event loop leave in one system call. What arrived together is
 * answered together: the flush comes after everything that could be read, not after each message. A system call that
 * wakes the process on the other side costs more than everything else a frame does.
 */
export class FrameWriter<Header extends object> {
  readonly #socket: Duplex;
  #corked = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Bytes that wait to be sent. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends one frame; false when the socket takes no more. @throws FrameError when the frame is too large */
  send(header: Header, payload?: Uint8Array): boolean {
    if (!this.#socket.writable) return false;
    const payloadBytes = payload?.length ?? 0;
    const apart = payloadBytes > COPIED_BYTES_MAX;
    const frame = apart ? encodeFrameHead(header, payloadBytes) : encodeFrame(header, payload);
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      setImmediate(this.#flush);
    }
    this.#socket.write(frame);
    if (apart) this.#socket.write(payload);
    return true;
  }

  readonly #flush = (): void => {
    this.#corked = false;
    this.#socket.uncork();
  };
}

/** Sends a frame; false when it cannot be sent, whether the socket is gone or the frame is too large. */
export function trySend<Header extends object>(
  writer: FrameWriter<Header>,
  frame: Header,
  payload?: Uint8Array,
): boolean {
  try {
    return writer.send(frame, payload);
  } catch (error) {
    if (error instanceof FrameError) return false;
    throw error;
  }
}
