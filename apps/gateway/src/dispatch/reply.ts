import type { ServerResponse } from 'node:http';
import { SECURITY_HEADERS } from '#libs/http';

const KEEP_ALIVE_MS = 15_000;
const BUFFERED_BYTES_MAX = 8 * 1024 * 1024;
const EVENT_START = Buffer.from('event: message\ndata: ');
const EVENT_END = Buffer.from('\n\n');

/**
 * The HTTP answer of one call: JSON where one message is all there is, a stream as soon as a message comes before the
 * last (MCP, transports, "Receiving messages"). `waiting` → `streaming` → `ended`, or `waiting` → `ended`.
 */
export class Reply {
  #state: 'waiting' | 'streaming' | 'ended' = 'waiting';
  #keepAlive: NodeJS.Timeout | undefined;
  #partBytes = 0;

  constructor(
    private readonly response: ServerResponse,
    /** The session that this answer opens. */
    private sessionId: string | undefined,
  ) {}

  /** Whether messages went out already, so that the status cannot change any more. */
  get streaming(): boolean {
    return this.#state === 'streaming';
  }

  /** Bytes of the messages that came before the last. */
  get partBytes(): number {
    return this.#partBytes;
  }

  /** The session did not come about. */
  forgetSession(): void {
    this.sessionId = undefined;
  }

  /** Opens the stream before there is anything to say. */
  openStream(): void {
    if (this.#state !== 'waiting' || this.response.destroyed) return;
    this.#state = 'streaming';
    this.response.writeHead(200, {
      ...SECURITY_HEADERS,
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      ...(this.sessionId === undefined ? {} : { 'mcp-session-id': this.sessionId }),
    });
    this.response.flushHeaders();
    this.#keepAlive = setInterval(() => this.response.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
    this.#keepAlive.unref();
    this.response.once('close', () => clearInterval(this.#keepAlive));
  }

  /** Sends a message that is not the last. Returns false when the client reads too slowly to go on. */
  part(message: Buffer): boolean {
    this.openStream();
    this.#partBytes += message.length;
    if (this.#state !== 'streaming' || this.response.destroyed) return true;
    this.#event(message);
    return this.response.writableLength <= BUFFERED_BYTES_MAX;
  }

  /** Sends the last message; `status` counts where it is the only one. */
  finish(status: number, message: Buffer): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'streaming') {
      if (!this.response.destroyed) this.#event(message);
      this.end();
      return;
    }
    this.#state = 'ended';
    if (this.response.destroyed) return;
    this.response.writeHead(status, {
      ...SECURITY_HEADERS,
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': message.length,
      ...(this.sessionId === undefined ? {} : { 'mcp-session-id': this.sessionId }),
    });
    this.response.end(message);
  }

  /** Ends a stream without a last message, or answers that the message was accepted. */
  end(): void {
    if (this.#state === 'ended') return;
    clearInterval(this.#keepAlive);
    if (this.#state === 'waiting' && !this.response.destroyed) {
      this.response.writeHead(202, { ...SECURITY_HEADERS, 'content-length': 0 });
    }
    this.#state = 'ended';
    this.response.end();
  }

  #event(message: Buffer): void {
    this.response.cork();
    this.response.write(EVENT_START);
    this.response.write(onOneLine(message));
    this.response.write(EVENT_END);
    this.response.uncork();
  }
}

/** JSON on one line: in JSON text, line breaks stand only between tokens. */
function onOneLine(message: Buffer): Buffer {
  if (!message.includes(0x0a) && !message.includes(0x0d)) return message;
  const line = Buffer.from(message);
  for (const [at, byte] of line.entries()) if (byte === 0x0a || byte === 0x0d) line[at] = 0x20;
  return line;
}
