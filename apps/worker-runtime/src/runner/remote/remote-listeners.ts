import type { Notification } from '@modelcontextprotocol/client';
import { Listeners, type Listener } from '../listening/listeners.js';
import type { CallerLink } from '../peer/caller-link.js';
import { NOBODY } from '../upstream/upstream-fetch.js';
import type { MountedUpstream } from '../upstream-sessions/mounted-upstream.js';
import type { RemoteCaller } from '../upstream-sessions/remote-caller.js';
import type { RemoteHost } from './remote-host.js';

/** A client that listens to upstream servers, and the exchange by which it does. */
export type RemoteListener = Listener<MountedUpstream> & { readonly s: number };

const SUBSCRIBE_MS = 5_000;
const LOOK_MS = 20_000;
/** Upstreams are looked at this often for who listens: some do not say that they have changed, or are away. */
const EACH_MS = 30_000;
const REFUSED = new Error('who listens is not asked');

/**
 * Clients of the 2026 era that listen to changes of upstream servers (MCP 2026-07-28, `subscriptions/listen`). All of one
 * principal share a session with each upstream, which is no call's, and last as long as one of them listens.
 */
export class RemoteListeners {
  readonly #host: RemoteHost;
  readonly #listeners: Listeners<MountedUpstream>;
  /** How many of each principal listen. */
  readonly #counts = new Map<string, number>();

  constructor(
    host: RemoteHost,
    private readonly upstreams: readonly MountedUpstream[],
  ) {
    this.#host = host;
    this.#listeners = new Listeners((method, mounted, { name }, uri) => this.#subscribe(method, mounted, name, uri));
    setInterval(() => this.#lookForAll(), EACH_MS).unref();
  }

  /** Has a client hear of changes from now on. @throws AppError unavailable */
  async add(listener: RemoteListener): Promise<void> {
    const { name } = listener.caller;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    // Whose login an upstream sees is known by the exchange that opens the session.
    await this.#host.findUnavailable({ ...this.#callerOf(name), s: listener.s }, AbortSignal.timeout(LOOK_MS));
    await this.#listeners.add(listener).catch((error: unknown) => {
      this.#left(name);
      throw error;
    });
  }

  /** Ends what `add` began. */
  async remove(listener: RemoteListener): Promise<void> {
    const { name } = listener.caller;
    await this.#listeners.remove(listener);
    this.#left(name);
  }

  #left(name: string): void {
    const count = (this.#counts.get(name) ?? 0) - 1;
    if (count > 0) {
      this.#counts.set(name, count);
      return;
    }
    this.#counts.delete(name);
    this.#host.end(this.#callerOf(name).name);
  }

  async #subscribe(
    method: 'resources/subscribe' | 'resources/unsubscribe',
    mounted: MountedUpstream,
    name: string,
    uri: string,
  ): Promise<void> {
    if (!this.#counts.has(name)) return;
    const signal = AbortSignal.timeout(SUBSCRIBE_MS);
    const times = { timeoutMs: SUBSCRIBE_MS, timeoutMaxMs: SUBSCRIBE_MS, signal, onProgress: undefined };
    const request = { method, params: { uri }, ...times };
    await this.#host.request(mounted, this.#callerOf(name), request).catch(() => undefined); // it has no such resource
  }

  #lookForAll(): void {
    const signal = AbortSignal.timeout(LOOK_MS);
    for (const name of this.#counts.keys())
      for (const mounted of this.upstreams) void this.#host.look(mounted, this.#callerOf(name), signal);
  }

  /** Who listens, as upstreams see it: somebody who hears, and offers and asks nothing. */
  #callerOf(name: string): RemoteCaller {
    const link: CallerLink = {
      capabilities: {},
      request: () => Promise.reject(REFUSED),
      notify: (notification: Notification) => this.#listeners.tell(name, notification),
    };
    return { s: NOBODY, name: `listener ${name}`, link, lastMs: Date.now() + LOOK_MS };
  }
}
