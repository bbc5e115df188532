import type { Result } from '@modelcontextprotocol/client';
import type { PeerRequest } from '../peer/peer.js';

const STANDING_MAX = 256;

type Standing = Pick<PeerRequest, 'method' | 'params'>;

/**
 * What a caller has asked of a server for as long as its session lasts: subscriptions and its log level. A process that
 * takes the place of another is asked again.
 */
export class StandingRequests {
  readonly #byPlace = new Map<string, Map<string, Standing>>();

  /** Notes a request that was answered. */
  note(place: string, { method, params }: Standing): void {
    const own = this.#byPlace.get(place) ?? new Map<string, Standing>();
    if (method === 'logging/setLevel') own.set(method, { method, params });
    else if (method === 'resources/subscribe' && own.size < STANDING_MAX) own.set(nameOf(params), { method, params });
    else if (method === 'resources/unsubscribe') own.delete(nameOf(params));
    if (own.size === 0) this.#byPlace.delete(place);
    else this.#byPlace.set(place, own);
  }

  /** Whether a caller waits to hear of something. */
  subscribed(place: string): boolean {
    return [...(this.#byPlace.get(place)?.values() ?? [])].some(({ method }) => method === 'resources/subscribe');
  }

  /** The log level that a caller has set. */
  level(place: string): unknown {
    return this.#byPlace.get(place)?.get('logging/setLevel')?.params['level'];
  }

  /** Asks a new process what its predecessor was asked; what it refuses is its own affair. */
  async repeat(place: string, ask: (standing: Standing) => Promise<Result>): Promise<void> {
    for (const standing of this.#byPlace.get(place)?.values() ?? []) await ask(standing).catch(() => undefined);
  }

  /** Forgets a caller. */
  end(caller: string): void {
    for (const place of this.#byPlace.keys()) if (place.endsWith(` ${caller}`)) this.#byPlace.delete(place);
  }
}

function nameOf(params: Readonly<Record<string, unknown>>): string {
  return `resource ${String(params['uri'])}`;
}
