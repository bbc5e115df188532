import { createConnection, type Socket } from 'node:net';

/** One HTTP answer, whole. */
export interface WireAnswer {
  readonly status: number;
  /** Status line and headers as they came. */
  readonly head: string;
  readonly body: Buffer;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const CHUNKED = /\r\ntransfer-encoding: chunked/i;
const LENGTH = /\r\ncontent-length: (\d+)/i;
const EMPTY = Buffer.alloc(0);

/**
 * A kept HTTP/1.1 connection with one request in flight, and as little of its own as can be: on a small machine a
 * heavier client would measure itself.
 */
export class WireConnection {
  readonly #socket: Socket;
  #received: Buffer = EMPTY;
  #waiting: { resolve(answer: WireAnswer): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<WireConnection> {
    const socket = createConnection({ port, host: '127.0.0.1' });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new WireConnection(socket);
  }

  /** Sends one POST; `head` is its request line and headers but for the length. */
  post(head: string, body: string): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const answer = readAnswer(this.#received);
    if (answer === undefined) return;
    this.#received = EMPTY;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }
}

function readAnswer(bytes: Buffer): WireAnswer | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const start = headEnd + HEAD_END.length;
  const status = Number(head.slice(9, 12));
  if (CHUNKED.test(head)) {
    const body = readChunks(bytes, start);
    return body === undefined ? undefined : { status, head, body };
  }
  const length = Number(LENGTH.exec(head)?.[1] ?? 0);
  return bytes.length < start + length ? undefined : { status, head, body: bytes.subarray(start, start + length) };
}

function readChunks(bytes: Buffer, start: number): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf(LINE_END, at);
    if (lineEnd === -1) return undefined;
    const length = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const from = lineEnd + LINE_END.length;
    if (bytes.length < from + length + LINE_END.length) return undefined;
    if (length === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(from, from + length));
    at = from + length + LINE_END.length;
  }
}
