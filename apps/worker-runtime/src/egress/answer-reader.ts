import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { keptHeaders } from './kept-headers.js';
import { isEventStream, type StreamSink } from './streams/stream-sink.js';
import { UpstreamFailure } from './upstream-failure.js';

/** An upstream's answer as it arrived: its body not decoded yet. */
export interface ArrivedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Settles when a streamed answer has ended, and how. */
  readonly rest?: Promise<void>;
}

/** What an answer is read for. */
export interface ReadingOptions {
  readonly method: string;
  /** Of the request's body. */
  readonly sentBytes?: number;
  readonly bytesMax: number;
  /** Whoever waits stops waiting with it, also before there is a connection. */
  readonly signal: AbortSignal;
  /** Where an event stream goes as it comes. */
  readonly stream?: StreamSink | undefined;
  /** Told of bytes of bodies as they go and come. */
  readonly moved?: ((bytes: number) => void) | undefined;
}

/**
 * Collects one answer as undici reads it, without a stream in between; settles once. Too many bytes, announced or
 * arrived, end the exchange with `too_large`.
 */
export class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #options: ReadingOptions;
  readonly #done: (answer: ArrivedAnswer) => void;
  readonly #failed: (error: unknown) => void;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #bytes = 0;
  #settled = false;
  /** Ends the rest of a streamed answer. */
  #endRest: ((error?: unknown) => void) | undefined;

  constructor(options: ReadingOptions, done: (answer: ArrivedAnswer) => void, failed: (error: unknown) => void) {
    this.#options = options;
    this.#done = done;
    this.#failed = failed;
    options.signal.addEventListener('abort', this.#aborted);
    if (options.signal.aborted) this.#aborted();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new UpstreamFailure('aborted', ''));
    else this.#options.moved?.(this.#options.sentBytes ?? 0);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return; // an interim answer (RFC 9110, 15.2)
    this.#status = status;
    this.#headers = headers;
    if (status === 200 && isEventStream(headers['content-type']) && this.#beginStream(headers)) return;
    const declared = Number(headers['content-length'] ?? 0);
    if (declared > this.#options.bytesMax && this.#options.method !== 'HEAD') this.#refuseLarge();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#options.moved?.(chunk.length);
    if (this.#endRest !== undefined) {
      if (this.#options.stream?.data(chunk) !== true) this.#refuseLarge();
      return;
    }
    this.#bytes += chunk.length;
    if (this.#bytes > this.#options.bytesMax) this.#refuseLarge();
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (!this.#settle()) return;
    if (this.#endRest !== undefined) {
      this.#endRest();
      return;
    }
    const [only] = this.#chunks;
    const body = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    this.#done({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#settle()) this.#tell(error);
  }

  /** Answers with the head of a stream whose rest goes on as it comes. */
  #beginStream(headers: IncomingHttpHeaders): boolean {
    const { stream } = this.#options;
    if (stream === undefined) return false;
    if (headers['content-encoding'] !== undefined) {
      this.#giveUp(new UpstreamFailure('invalid_response', 'it compressed a stream, which was not asked for'));
      return true;
    }
    const rest = new Promise<void>((resolve, reject) => {
      this.#endRest = (error) => (error === undefined ? resolve() : reject(error));
    });
    rest.catch(() => undefined); // whoever got the answer waits for it
    stream.began(this.#status, keptHeaders(headers));
    this.#done({ status: this.#status, headers, body: Buffer.alloc(0), rest });
    return true;
  }

  #tell(error: unknown): void {
    (this.#endRest ?? this.#failed)(error);
  }

  #refuseLarge(): void {
    this.#giveUp(new UpstreamFailure('too_large', `the limit is ${this.#options.bytesMax} bytes`));
  }

  readonly #aborted = (): void => this.#giveUp(new UpstreamFailure('aborted', ''), this.#options.signal.reason);

  /** Ends the exchange with its upstream; `told` is what the one who waits hears, the failure itself by default. */
  #giveUp(failure: UpstreamFailure, told: unknown = failure): void {
    if (!this.#settle()) return;
    this.#chunks.length = 0;
    this.#tell(told);
    this.#controller?.abort(failure);
  }

  /** False when it was settled before. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#options.signal.removeEventListener('abort', this.#aborted);
    return true;
  }
}
