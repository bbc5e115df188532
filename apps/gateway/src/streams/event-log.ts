import { eventIdText } from './event-id.js';
import type { EventOwner, EventStore, StreamEvent } from './event-store.js';

const EMPTY = Buffer.alloc(0);

/** A stream as it is written: numbers its events and keeps them for a client that loses it. */
export class EventLog {
  #stream: string | undefined;
  #number = 0;
  #ended = false;

  /** `name` is asked for the stream's name with its first event: most answers are no stream. */
  constructor(
    private readonly store: EventStore,
    private readonly owner: EventOwner,
    private readonly name: () => string,
  ) {}

  /** Begins; returns the event id to go on after. */
  begin(): string {
    return this.#add('begin', EMPTY);
  }

  /** Adds a message; returns its event id. `substitute`: what to keep of a last message that is too large to be kept. */
  add(message: Buffer, kind: 'message' | 'last', substitute?: () => Buffer): string {
    return this.#add(kind, message, substitute);
  }

  /** Ends without a last message; safe to call twice. */
  end(): void {
    if (!this.#ended) this.#add('end', EMPTY);
  }

  #add(kind: StreamEvent['kind'], message: Buffer, substitute?: () => Buffer): string {
    const stream = (this.#stream ??= this.name());
    const event = { stream, number: this.#number++, kind, message };
    this.#ended ||= kind === 'last' || kind === 'end';
    void this.#keep(event, substitute);
    return eventIdText(stream, event.number);
  }

  async #keep(event: StreamEvent, substitute: (() => Buffer) | undefined): Promise<void> {
    if ((await this.store.add(this.owner, event)) || substitute === undefined) return;
    await this.store.add(this.owner, { ...event, message: substitute() });
  }
}
