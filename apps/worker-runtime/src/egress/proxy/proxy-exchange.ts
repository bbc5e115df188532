import { Transform } from 'node:stream';
import { withDeadline, type Deadline } from '#libs/resilience';
import { UpstreamFailure } from '../upstream-failure.js';

/** What one request or tunnel may take. */
export interface ExchangeLimits {
  readonly bytesMax: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** One request or tunnel of a proxy: counts its bytes, and ends it when it is too large, too long or silent for too long. */
export class ProxyExchange {
  /** Where it was to go, once that is known. */
  origin = '';
  readonly #limits: ExchangeLimits;
  readonly #onMoved: (bytes: number) => void;
  readonly #controller = new AbortController();
  readonly #deadline: Deadline;
  readonly #idle: NodeJS.Timeout;
  readonly #ends = new Set<() => void>();
  #owned: Promise<void> = Promise.resolve();
  #brokenBy: UpstreamFailure | undefined;
  sentBytes = 0;
  receivedBytes = 0;

  /** `onMoved` is told of all bytes as they pass. */
  constructor(limits: ExchangeLimits, onMoved: (bytes: number) => void = () => undefined) {
    this.#limits = limits;
    this.#onMoved = onMoved;
    this.#deadline = withDeadline(limits.totalMs, this.#controller.signal);
    this.#deadline.signal.addEventListener('abort', () => this.#finish(), { once: true });
    this.#idle = setTimeout(() => this.#break('timeout', `nothing came for ${limits.idleMs} ms`), limits.idleMs);
  }

  /** Fires when it is over before its time. */
  get signal(): AbortSignal {
    return this.#deadline.signal;
  }

  /** Which of its limits ended it. */
  get brokenBy(): UpstreamFailure | undefined {
    return this.#brokenBy;
  }

  /** What goes on after the connection stands. */
  get owned(): Promise<void> {
    return this.#owned;
  }

  /** Keeps what goes on after the connection stands, for whoever waits for it. */
  own(work: Promise<void>): void {
    this.#owned = work;
    work.catch(() => undefined); // whoever waits hears it
  }

  /** Counts what passes in one direction. */
  counter(direction: 'sent' | 'received'): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#idle.refresh();
        if (direction === 'sent') this.sentBytes += chunk.length;
        else this.receivedBytes += chunk.length;
        this.#onMoved(chunk.length);
        if (this.sentBytes + this.receivedBytes <= this.#limits.bytesMax) return done(null, chunk);
        this.#break('too_large', `the limit is ${this.#limits.bytesMax} bytes`);
        return done(this.#brokenBy ?? null);
      },
    });
  }

  /** Hears its end, at once when it has come. */
  onEnd(heard: () => void): void {
    if (this.signal.aborted) heard();
    else this.#ends.add(heard);
  }

  /** Ends it; safe to call twice. */
  end(): void {
    this.#controller.abort();
    this.#finish();
  }

  #break(reason: 'timeout' | 'too_large', message: string): void {
    this.#brokenBy ??= new UpstreamFailure(reason, message);
    this.end();
  }

  #finish(): void {
    clearTimeout(this.#idle);
    this.#deadline.done();
    const ends = [...this.#ends];
    this.#ends.clear();
    for (const heard of ends) heard();
  }
}
