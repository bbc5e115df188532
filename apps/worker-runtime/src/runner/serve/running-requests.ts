import type { RequestId } from '@modelcontextprotocol/server';
import type { Exchange } from '../mcp-servers/exchange.js';
import type { PlainRequest } from './direct-answers.js';

/** A request that runs. */
export interface RunningRequest {
  /** As its client numbered it. */
  readonly id: RequestId;
  readonly exchange: Exchange;
  /** Plain requests that the SDK answers, for others like them. */
  readonly plain?: PlainRequest | undefined;
  /** Stops one that runs without the SDK. */
  readonly stop?: () => void;
}

/** What runs in a session, oldest first. A list, since a client waits for few at once, and a `Map` is dear where all entries go (`NumberMap`). */
export class RunningRequests {
  #open: RunningRequest[] = [];

  get size(): number {
    return this.#open.length;
  }

  /** The one that began last. */
  get latest(): RunningRequest | undefined {
    return this.#open.at(-1);
  }

  /** The one with an id. */
  find(id: RequestId): RunningRequest | undefined {
    for (const running of this.#open) if (running.id === id) return running;
    return undefined;
  }

  /** Those of an exchange. */
  findOf(exchange: Exchange): RunningRequest[] {
    return this.#open.filter((running) => running.exchange === exchange);
  }

  /** Adds one whose id no other has. */
  add(running: RunningRequest): void {
    this.#open.push(running);
  }

  /** Takes out the one with an id. */
  take(id: RequestId): RunningRequest | undefined {
    const at = this.#open.findIndex((running) => running.id === id);
    return at === -1 ? undefined : this.#open.splice(at, 1)[0];
  }

  /** Takes out all. */
  takeAll(): RunningRequest[] {
    const all = this.#open;
    this.#open = [];
    return all;
  }
}
