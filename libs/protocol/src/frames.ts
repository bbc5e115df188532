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
  const json = Buffer.from(JSON.stringify(header));
  if (json.length > HEADER_BYTES_MAX || payload.length > PAYLOAD_BYTES_MAX) throw new FrameError('frame too large');
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + json.length + payload.length);
  frame.writeUInt32BE(json.length, 0);
  frame.writeUInt32BE(payload.length, 4);
  json.copy(frame, PREFIX_BYTES);
  frame.set(payload, PREFIX_BYTES + json.length);
  return frame;
}

/** Cuts a byte stream into frames; bounded by the largest frame. The header's type is the sender's promise. */
export class FrameDecoder<Header> {
  #chunks: Buffer[] = [];
  #buffered = 0;

  /** The frames that are complete with these bytes. @throws FrameError */
  push(chunk: Buffer): Array<Frame<Header>> {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const frames: Array<Frame<Header>> = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame<Header> | undefined {
    if (this.#buffered < PREFIX_BYTES) return undefined;
    const prefix = this.#peek(PREFIX_BYTES);
    const headerBytes = prefix.readUInt32BE(0);
    const payloadBytes = prefix.readUInt32BE(4);
    if (headerBytes > HEADER_BYTES_MAX || payloadBytes > PAYLOAD_BYTES_MAX) throw new FrameError('frame too large');
    const total = PREFIX_BYTES + headerBytes + payloadBytes;
    if (this.#buffered < total) return undefined;
    const bytes = this.#take(total);
    const json = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes).toString('utf8');
    return { header: parseHeader<Header>(json), payload: bytes.subarray(PREFIX_BYTES + headerBytes) };
  }

  #peek(length: number): Buffer {
    const first = this.#chunks[0] ?? EMPTY;
    if (first.length >= length) return first;
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? EMPTY;
  }

  #take(length: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? EMPTY) : Buffer.concat(this.#chunks);
    const rest = all.subarray(length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#buffered = rest.length;
    return all.subarray(0, length);
  }
}

function parseHeader<Header>(json: string): Header {
  try {
    return JSON.parse(json) as Header; // the frame's sender is ours or is checked by its receiver
  } catch (error) {
    throw new FrameError('frame header is not JSON', { cause: error });
  }
}
