/**
 * Frames: how gateway and worker-runtime, and worker-runtime and runner, talk.
 *
 * A frame is a small JSON header beside an untouched payload (an MCP message, an artefact, a request body), so that
 * whoever routes and meters reads the header only:
 *
 *     u32be header bytes | u32be payload bytes | header (UTF-8 JSON) | payload
 */
export interface Frame<Header> {
  readonly header: Header;
  readonly payload: Buffer;
}

/** Largest header: it is ours (a tenant's secrets are the longest thing in one), so anything larger is a fault. */
export const HEADER_BYTES_MAX = 1024 * 1024;
/** Largest payload: an uploaded document is the biggest thing that travels. */
export const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;

const PREFIX_BYTES = 8;
const EMPTY = Buffer.alloc(0);

/** Thrown when the other side sends what is not a frame; the connection is of no further use. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** The bytes of one frame. */
export function encodeFrame(header: object, payload: Uint8Array = EMPTY): Buffer {
  const { json, headerBytes } = encodeHeader(header, payload.length);
  const frame = frameBeginning(json, headerBytes, payload.length, payload.length);
  frame.set(payload, PREFIX_BYTES + headerBytes);
  return frame;
}

/** The bytes of one frame but for its payload, for whoever sends the payload after them. */
export function encodeFrameHead(header: object, payloadBytes: number): Buffer {
  const { json, headerBytes } = encodeHeader(header, payloadBytes);
  return frameBeginning(json, headerBytes, payloadBytes, 0);
}

function encodeHeader(header: object, payloadBytes: number): { json: string; headerBytes: number } {
  const json = JSON.stringify(header);
  const headerBytes = Buffer.byteLength(json);
  if (headerBytes > HEADER_BYTES_MAX || payloadBytes > PAYLOAD_BYTES_MAX) throw new FrameError('frame too large');
  return { json, headerBytes };
}

function frameBeginning(json: string, headerBytes: number, payloadBytes: number, room: number): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + headerBytes + room);
  frame.writeUInt32BE(headerBytes, 0);
  frame.writeUInt32BE(payloadBytes, 4);
  frame.write(json, PREFIX_BYTES, 'utf8');
  return frame;
}

/** Cuts a byte stream into frames; bounded by the largest frame. The header's type is the sender's promise. */
export class FrameDecoder<Header> {
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** Bytes without which there is nothing to do: a prefix, then the frame it announces. */
  #wanted = PREFIX_BYTES;

  /** The frames that are complete with these bytes. @throws FrameError */
  push(chunk: Buffer): Array<Frame<Header>> {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const frames: Array<Frame<Header>> = [];
    while (this.#buffered >= this.#wanted) {
      const { headerBytes, payloadBytes } = this.#prefix();
      this.#wanted = PREFIX_BYTES + headerBytes + payloadBytes;
      if (this.#buffered < this.#wanted) break;
      const bytes = this.#take(this.#wanted);
      const json = bytes.toString('utf8', PREFIX_BYTES, PREFIX_BYTES + headerBytes);
      frames.push({ header: parseHeader<Header>(json), payload: bytes.subarray(PREFIX_BYTES + headerBytes) });
      this.#wanted = PREFIX_BYTES;
    }
    return frames;
  }

  #prefix(): { headerBytes: number; payloadBytes: number } {
    const first = this.#chunks[0] ?? EMPTY;
    const prefix = first.length >= PREFIX_BYTES ? first : Buffer.concat(this.#chunks, PREFIX_BYTES);
    const headerBytes = prefix.readUInt32BE(0);
    const payloadBytes = prefix.readUInt32BE(4);
    if (headerBytes > HEADER_BYTES_MAX || payloadBytes > PAYLOAD_BYTES_MAX) throw new FrameError('frame too large');
    return { headerBytes, payloadBytes };
  }

  /** The first bytes, copied only where they lie in several chunks; what comes after them stays where it is. */
  #take(length: number): Buffer {
    const first = this.#chunks[0] ?? EMPTY;
    const taken = first.length >= length ? first.subarray(0, length) : Buffer.concat(this.#chunks, length);
    const last = this.#chunks.at(-1) ?? EMPTY; // the chunk that completed the frame, so all others belong to it
    const rest = this.#buffered - length;
    this.#chunks = rest === 0 ? [] : [last.subarray(last.length - rest)];
    this.#buffered = rest;
    return taken;
  }
}

function parseHeader<Header>(json: string): Header {
  try {
    return JSON.parse(json) as Header; // the frame's sender is ours or is checked by its receiver
  } catch (error) {
    throw new FrameError('frame header is not JSON', { cause: error });
  }
}
