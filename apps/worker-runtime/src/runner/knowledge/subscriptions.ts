import { ProtocolError } from '@modelcontextprotocol/server';
import { ERROR_CATALOGUE } from '#libs/errors';

const OF_ONE_MAX = 256;
const NONE: ReadonlySet<string> = new Set();

/** The documents that sessions of the 2025 era have subscribed to. */
export class Subscriptions {
  readonly #byCaller = new Map<string, Set<string>>();

  /** @throws ProtocolError where a session has as many as it may */
  add(caller: string, uri: string): void {
    const own = this.#byCaller.get(caller) ?? new Set();
    if (own.size >= OF_ONE_MAX && !own.has(uri))
      throw new ProtocolError(
        ERROR_CATALOGUE.invalid_params.jsonRpc,
        `A session subscribes to at most ${OF_ONE_MAX} resources. Unsubscribe from one first.`,
      );
    this.#byCaller.set(caller, own.add(uri));
  }

  /** Ends one subscription. */
  remove(caller: string, uri: string): void {
    this.#byCaller.get(caller)?.delete(uri);
  }

  /** What a session has subscribed to. */
  of(caller: string): ReadonlySet<string> {
    return this.#byCaller.get(caller) ?? NONE;
  }

  /** Forgets a session. */
  end(caller: string): void {
    this.#byCaller.delete(caller);
  }
}
