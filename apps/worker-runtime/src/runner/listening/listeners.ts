import type { Notification } from '@modelcontextprotocol/client';
import { AppError } from '#libs/errors';
import type { Offers } from '#libs/protocol';
import type { PeerCaller } from '../peer/caller-link.js';

/** A server that may be listened to. */
export interface Heard {
  readonly offers: Offers | undefined;
}

/** A 2026-era client that listens to changes, on a stream of its own. */
export interface Listener<Server extends Heard> {
  readonly caller: PeerCaller;
  /** The servers that it listens to, and the resources that it named. */
  readonly servers: readonly Server[];
  readonly uris: ReadonlySet<string>;
  readonly hear: (notification: Notification) => void;
}

/** Subscribes to a resource at a server for a caller, or ends that; what a server refuses is its own affair. */
export type Subscribe<Server> = (
  method: 'resources/subscribe' | 'resources/unsubscribe',
  server: Server,
  caller: PeerCaller,
  uri: string,
) => Promise<void>;

const LISTENERS_MAX = 1_000;

/** Who listens to what the servers of a caller say outside of any call (MCP 2026-07-28, `subscriptions/listen`). */
export class Listeners<Server extends Heard> {
  readonly #byCaller = new Map<string, Set<Listener<Server>>>();
  #count = 0;

  constructor(private readonly subscribe: Subscribe<Server>) {}

  /** Has a client hear of changes; what it names is subscribed to at every server that has it. @throws AppError unavailable */
  async add(listener: Listener<Server>): Promise<void> {
    const { caller, servers, uris } = listener;
    if (this.#count >= LISTENERS_MAX)
      throw new AppError('unavailable', { message: 'Too many clients listen here. Try again later.' });
    this.#count += 1;
    this.#byCaller.set(caller.name, (this.#byCaller.get(caller.name) ?? new Set()).add(listener));
    for (const server of servers) {
      if (server.offers?.resources?.subscribe !== true) continue;
      for (const uri of uris) {
        await this.subscribe('resources/subscribe', server, caller, uri);
        if (!this.#hears(caller.name, uri)) await this.subscribe('resources/unsubscribe', server, caller, uri);
      }
    }
  }

  /** Ends what `add` began; what others of the same caller listen to goes on. */
  async remove(listener: Listener<Server>): Promise<void> {
    const { caller, servers, uris } = listener;
    const own = this.#byCaller.get(caller.name);
    if (own?.delete(listener) !== true) return;
    this.#count -= 1;
    if (own.size === 0) this.#byCaller.delete(caller.name);
    for (const uri of uris)
      if (!this.#hears(caller.name, uri))
        for (const server of servers) await this.subscribe('resources/unsubscribe', server, caller, uri);
  }

  /** Passes on what a server said; what a listener did not ask for, the SDK keeps from it. */
  tell(caller: string, notification: Notification): void {
    for (const { hear } of this.#byCaller.get(caller) ?? []) hear(notification);
  }

  #hears(caller: string, uri: string): boolean {
    return [...(this.#byCaller.get(caller) ?? [])].some(({ uris }) => uris.has(uri));
  }
}
