import type { ServerResponse } from 'node:http';
import { SECURITY_HEADERS } from '#libs/http';
import type { EventLog } from '../streams/event-log.js';

const BUFFERED_BYTES_MAX = 8 * 1024 * 1024;
/** When an answer that can be resumed and is not there yet becomes a stream, whose first event says from where. */
const RESUMABLE_MS = 1_000;
const RETRY_MS = 1_000;
const EVENT_START = Buffer.from('event: message\n');
const DATA_START = Buffer.from('data: ');
const EVENT_END = Buffer.from('\n\n');

/** How an answer is given. */
export interface ReplyOptions {
  /** The session that this answer opens. */
  readonly sessionId?: string | undefined;
  /** How often a stream says that it lives. */
  readonly heartbeatMs: number;
  /** Whether an answer that is long in coming becomes a stream, or only one that is told to. */
  readonly opens: 'in-time' | 'when-told';
  /** Keeps the stream's events for a client that loses it. */
  readonly log?: EventLog | undefined;
  /** Whether a stream begins with an event without data, which agents before 2025-11-25 do not know. */
  readonly primes?: boolean;
  /** The message is accepted at once, and what is said to it goes to the log alone, whose stream is another's. */
  readonly detached?: boolean;
  /** What to keep of a last message that is too large. */
  readonly substitute?: () => Buffer;
}

/**
 * The HTTP answer of one call: JSON where one message is all there is, a stream as soon as a message comes before the
 * last (MCP, transports, "Receiving messages") or the last is long in coming. `waiting` → `streaming` → `ended`, or
 * `waiting` → `ended`.
 */
export class Reply {
  #state: 'waiting' | 'streaming' | 'ended' = 'waiting';
  #timer: NodeJS.Timeout | undefined;
  #held: Buffer[] | undefined;
  #heldBytes = 0;
  #sessionId: string | undefined;
  #partBytes = 0;

  constructor(
    private readonly response: ServerResponse,
    private readonly options: ReplyOptions,
  ) {
    this.#sessionId = options.sessionId;
    const { log, primes, heartbeatMs } = options;
    if (options.detached === true) {
      this.#state = 'streaming';
      response.writeHead(202, { ...SECURITY_HEADERS, 'content-type': 'text/plain' }).end('Accepted');
      return;
    }
    const openMs = log !== undefined && primes === true ? Math.min(RESUMABLE_MS, heartbeatMs) : heartbeatMs;
    if (options.opens === 'in-time') this.#timer = setTimeout(() => this.openStream(), openMs).unref();
    response.once('close', () => clearInterval(this.#timer));
  }

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
    this.#sessionId = undefined;
  }

  /** Opens the stream before there is anything to say. */
  openStream(): void {
    if (this.#state !== 'waiting' || this.response.destroyed) return;
    this.#state = 'streaming';
    clearTimeout(this.#timer);
    this.response.writeHead(200, {
      ...SECURITY_HEADERS,
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no',
      ...(this.#sessionId === undefined ? {} : { 'mcp-session-id': this.#sessionId }),
    });
    this.response.flushHeaders();
    const id = this.options.log?.begin();
    if (id !== undefined && this.options.primes === true)
      this.response.write(`id: ${id}\nretry: ${RETRY_MS}\ndata: \n\n`);
    this.#timer = setInterval(() => this.response.write(': keep-alive\n\n'), this.options.heartbeatMs).unref();
  }

  /** Sends a message that is not the last. Returns false when the client reads too slowly to go on. */
  part(message: Buffer): boolean {
    this.openStream();
    this.#partBytes += message.length;
    if (this.#state !== 'streaming') return true;
    if (this.#held === undefined) return this.#send(message, this.options.log?.add(message, 'message'));
    this.#held.push(message);
    this.#heldBytes += message.length;
    return this.#heldBytes <= BUFFERED_BYTES_MAX;
  }

  /** Sends a message that was kept from before, under the id that it had, or as an event of this stream. */
  replay(message: Buffer, id = this.options.log?.add(message, 'message')): boolean {
    return this.#send(message, id);
  }

  /** Sends an event that is no message. */
  announce(event: string, data: string): void {
    if (this.#state === 'streaming') this.response.write(`event: ${event}\ndata: ${data}\n\n`);
  }

  /** Keeps messages back until `release`. */
  hold(): void {
    this.#held = [];
  }

  /** Sends what was kept back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) this.part(message);
  }

  /** Sends the last message; `status` counts where it is the only one. */
  finish(status: number, message: Buffer): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'streaming') {
      this.release();
      const { log, substitute, detached } = this.options;
      this.#send(message, log?.add(message, detached === true ? 'message' : 'last', substitute));
      this.end();
      return;
    }
    this.#state = 'ended';
    clearTimeout(this.#timer);
    if (this.response.destroyed) return;
    this.response.writeHead(status, {
      ...SECURITY_HEADERS,
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': message.length,
      ...(this.#sessionId === undefined ? {} : { 'mcp-session-id': this.#sessionId }),
    });
    this.response.end(message);
  }

  /** Ends a stream without a last message, or answers that the message was accepted. */
  end(): void {
    if (this.#state === 'ended') return;
    clearInterval(this.#timer);
    if (this.#state === 'streaming') {
      this.release();
      if (this.options.detached !== true) this.options.log?.end();
    } else if (!this.response.destroyed) this.response.writeHead(202, { ...SECURITY_HEADERS, 'content-length': 0 });
    this.#state = 'ended';
    if (!this.response.writableEnded) this.response.end();
  }

  #send(message: Buffer, id: string | undefined): boolean {
    if (this.response.destroyed || this.response.writableEnded) return true;
    this.response.cork();
    this.response.write(EVENT_START);
    if (id !== undefined) this.response.write(`id: ${id}\n`);
    this.response.write(DATA_START);
    this.response.write(onOneLine(message));
    this.response.write(EVENT_END);
    this.response.uncork();
    return this.response.writableLength <= BUFFERED_BYTES_MAX;
  }
}

/** JSON on one line: in JSON text, line breaks stand only between tokens. */
function onOneLine(message: Buffer): Buffer {
  if (!message.includes(0x0a) && !message.includes(0x0d)) return message;
  const line = Buffer.from(message);
  for (const [at, byte] of line.entries()) if (byte === 0x0a || byte === 0x0d) line[at] = 0x20;
  return line;
}
