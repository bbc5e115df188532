import type { EventOwner, EventStore, StreamEvent } from './event-store.js';

/** How often a stream is looked at that nothing is heard of. */
const LOOK_MS = 15_000;

/**
 * The messages of a stream after the event of this number, first those that are kept and then those that come, until it
 * ends, nothing of it is kept any more, or the signal fires. From -1 on, it need not have begun yet.
 * @throws Error where Redis is away
 */
export async function* followEvents(
  store: EventStore,
  owner: EventOwner,
  { stream, number }: { readonly stream: string; readonly number: number },
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const news = new News(signal);
  const leave = await store.hear(owner, () => news.tell());
  try {
    let cursor = '-';
    while (!signal.aborted) {
      news.clear();
      const read = await store.read(owner, stream, cursor);
      cursor = read.cursor;
      for (const event of read.events) {
        if (event.number > number && (event.kind === 'message' || event.kind === 'last')) yield event;
        if (event.kind === 'last' || event.kind === 'end') return;
      }
      if (number >= 0 && read.events.length === 0 && !(await store.holds(owner))) return;
      await news.wait(LOOK_MS);
    }
  } finally {
    leave();
  }
}

/** Wakes its one waiter when told, when it has waited long enough, or when the signal fires. */
class News {
  #told = false;
  #wake: (() => void) | undefined;

  constructor(private readonly signal: AbortSignal) {}

  tell(): void {
    this.#told = true;
    this.#wake?.();
  }

  clear(): void {
    this.#told = false;
  }

  async wait(ms: number): Promise<void> {
    if (this.#told || this.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
      this.signal.addEventListener('abort', done, { once: true });
    });
  }
}
