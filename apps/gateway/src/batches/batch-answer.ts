import { ServerResponse } from 'node:http';
import { SECURITY_HEADERS } from '#libs/http';

const JSON_TYPE = 'application/json';
const STREAM_TYPE = 'text/event-stream';

/**
 * The HTTP answer of a batch: a JSON list of what its requests are answered with, or, as soon as one of them streams, one
 * stream of all. With nothing to answer it is accepted; where nothing but one kind of refusal came of it, it has its status.
 */
export class BatchAnswer {
  readonly #parts = new Set<PartResponse>();
  readonly #bodies: Buffer[] = [];
  readonly #statuses = new Set<number>();
  #streaming = false;

  constructor(private readonly response: ServerResponse) {
    response.once('close', () => {
      for (const part of this.#parts) part.leave();
    });
  }

  /** The response of one message, as far as those who answer it can tell. */
  part(): ServerResponse {
    const part = new PartResponse(this.response, this);
    this.#parts.add(part);
    return part;
  }

  /** A message begins to stream. */
  openStream(): void {
    if (this.#streaming || this.response.destroyed) return;
    this.#streaming = true;
    this.response.writeHead(200, {
      ...SECURITY_HEADERS,
      'content-type': STREAM_TYPE,
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    this.response.flushHeaders();
    for (const body of this.#bodies.splice(0)) this.#send(body);
  }

  /** Passes on events of a message's stream as they are. */
  write(events: Buffer | string): void {
    if (!this.response.destroyed) this.response.write(events);
  }

  /** A message is answered, with JSON or with nothing. */
  ended(part: PartResponse, status: number, body: Buffer | undefined): void {
    this.#parts.delete(part);
    if (body === undefined) return;
    this.#statuses.add(status);
    if (this.#streaming) this.#send(body);
    else this.#bodies.push(body);
  }

  /** All messages are answered. */
  end(): void {
    const { response } = this;
    if (response.destroyed || response.writableEnded) return;
    if (this.#streaming) return void response.end();
    if (this.#bodies.length === 0)
      return void response.writeHead(202, { ...SECURITY_HEADERS, 'content-length': 0 }).end();
    const [status = 200] = this.#statuses.size === 1 ? this.#statuses : [];
    const list = Buffer.from(`[${this.#bodies.join(',')}]`);
    const headers = { ...SECURITY_HEADERS, 'content-type': JSON_TYPE, 'cache-control': 'no-store' };
    response.writeHead(status, { ...headers, 'content-length': list.length }).end(list);
  }

  #send(body: Buffer): void {
    this.write(Buffer.concat([Buffer.from('event: message\ndata: '), body, Buffer.from('\n\n')]));
  }
}

/** Stands for the response to one message of a batch; what is written to it becomes a part of the batch's. */
class PartResponse extends ServerResponse {
  #kind: 'json' | 'stream' = 'json';
  #written: Buffer[] = [];

  constructor(
    outer: ServerResponse,
    private readonly batch: BatchAnswer,
  ) {
    super(outer.req);
    Object.defineProperty(this, 'writableLength', { get: () => outer.writableLength });
  }

  override writeHead(status: number, ...rest: readonly unknown[]): this {
    this.statusCode = status;
    const headers = rest.at(-1);
    const named = typeof headers === 'object' && headers !== null ? Reflect.get(headers, 'content-type') : undefined;
    if (named !== STREAM_TYPE) return this;
    this.#kind = 'stream';
    this.batch.openStream();
    return this;
  }

  override flushHeaders(): void {}
  override cork(): void {}
  override uncork(): void {}

  override write(chunk: Buffer | string): boolean {
    if (this.#kind === 'stream') this.batch.write(chunk);
    else this.#written.push(Buffer.from(chunk));
    return true;
  }

  override end(chunk?: unknown): this {
    if (this.finished) return this;
    if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) this.write(chunk);
    this.finished = true;
    const body = Buffer.concat(this.#written);
    const isJson = this.#kind === 'json' && body.length > 0 && this.statusCode !== 202;
    this.batch.ended(this, this.statusCode, isJson ? body : undefined);
    this.leave();
    return this;
  }

  override destroy(): this {
    this.leave();
    return this;
  }

  /** Its client is gone, or has all of it. */
  leave(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    process.nextTick(() => this.emit('close'));
  }
}
