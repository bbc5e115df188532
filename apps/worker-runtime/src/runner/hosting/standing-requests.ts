import type { Result } from '@modelcontextprotocol/client';
import type { StdioRequest } from '../stdio/stdio-server.js';

const STANDING_MAX = 256;

type Standing = Pick<StdioRequest, 'method' | 'params'>;

/**
 * What a caller has asked of a server for as long as its session lasts: subscriptions and its log level. A process that
 * takes the place of another is asked again.
 */
export class StandingRequests {
  readonly #byKey = new Map<string, Map<string, Standing>>();

  /** Notes a request that was answered. */
  note(key: string, { method, params }: Standing): void {
    const own = this.#byKey.get(key) ?? new Map<string, Standing>();
    if (method === 'logging/setLevel') own.set(method, { method, params });
    else if (method === 'resources/subscribe' && own.size < STANDING_MAX) own.set(nameOf(params), { method, params });
    else if (method === 'resources/unsubscribe') own.delete(nameOf(params));
    if (own.size === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, own);
  }

  /** Whether a caller waits to hear of something. */
  subscribed(key: string): boolean {
    return [...(this.#byKey.get(key)?.values() ?? [])].some(({ method }) => method === 'resources/subscribe');
  }

  /** Asks a new process what its predecessor was asked; what it refuses is its own affair. */
  async repeat(key: string, ask: (standing: Standing) => Promise<Result>): Promise<void> {
    for (const standing of this.#byKey.get(key)?.values() ?? []) await ask(standing).catch(() => undefined);
  }

  /** Forgets a caller. */
  end(caller: string): void {
    for (const key of this.#byKey.keys()) if (key.endsWith(` ${caller}`)) this.#byKey.delete(key);
  }
}

function nameOf(params: Readonly<Record<string, unknown>>): string {
  return `resource ${String(params['uri'])}`;
}
