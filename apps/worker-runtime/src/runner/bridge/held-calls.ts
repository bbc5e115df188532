import { randomBytes } from 'node:crypto';
import { ProtocolError, type Result } from '@modelcontextprotocol/client';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { CallDesk } from './call-desk.js';
import type { PeerCaller } from '../peer/caller-link.js';
import type { ModernClient } from '../peer/modern-client.js';
import { OpenCall, type RunCall } from './open-call.js';
import type { PeerRequest } from '../peer/peer.js';
import { RequestStates } from './request-state.js';

/** A request of a 2026-era client. */
export interface ModernAsk {
  readonly caller: PeerCaller & { readonly client: ModernClient };
  readonly request: PeerRequest;
}

interface Held {
  /** Whose it is. */
  readonly caller: string;
  readonly call: OpenCall;
  readonly timer: NodeJS.Timeout;
}

/** How long a call waits for its client's answers. */
const HELD_MS = 300_000;
const HELD_MAX = 256;
const OF_CALLER_MAX = 32;
const ID_BYTES = 16;

/**
 * Calls of 2026-era clients at 2025-era servers. A server that asks its client something waits for the answer within the
 * call; the client is answered `input_required` and comes again. Between the two the call is held here, found again by
 * its `requestState`, for a bounded time.
 */
export class HeldCalls {
  readonly #held = new Map<string, Held>();
  readonly #states = new RequestStates();

  /** Goes on with the call that a request names; undefined for a request that names none. @throws ProtocolError */
  resume({ caller, request }: ModernAsk): Promise<Result> | undefined {
    const state = caller.client.requestState;
    if (state === undefined) return undefined;
    const named = this.#states.open(state, caller, request);
    const held = named && this.#held.get(named.id);
    if (named === undefined || held === undefined || held.call.round !== named.round)
      return Promise.reject(
        new ProtocolError(
          ERROR_CATALOGUE.invalid_params.jsonRpc,
          'This requestState is not one of a call that waits: it has ended, or its worker has. Make the call again without requestState.',
          { reason: 'call_not_waiting' },
        ),
      );
    clearTimeout(held.timer);
    this.#held.delete(named.id);
    return this.#round(named.id, held.call, { caller, request });
  }

  /** Makes a call at a server whose questions come to `desk`. @throws what the call ends with */
  begin(desk: CallDesk, asked: ModernAsk, run: RunCall): Promise<Result> {
    const call = new OpenCall(run);
    const leave = desk.enter(call);
    void call.ended.then(leave);
    return this.#round(randomBytes(ID_BYTES).toString('hex'), call, asked);
  }

  /** Gives up the call that has waited longest for its client, to make room. Resolves when it has ended; false without one. */
  async dropOldest(): Promise<boolean> {
    const [oldest] = this.#held;
    if (oldest === undefined) return false;
    await this.#drop(oldest);
    return true;
  }

  async #drop([id, { call, timer }]: [string, Held]): Promise<void> {
    clearTimeout(timer);
    this.#held.delete(id);
    call.abandon();
    await call.ended;
  }

  async #round(id: string, call: OpenCall, { caller, request }: ModernAsk): Promise<Result> {
    const round = await call.next(caller.client, request);
    if (round.kind === 'result') return round.result;
    const own = [...this.#held].filter(([, held]) => held.caller === caller.name);
    if (own.length >= OF_CALLER_MAX && own[0] !== undefined) await this.#drop(own[0]);
    else if (this.#held.size >= HELD_MAX) await this.dropOldest();
    const timer = setTimeout(() => {
      this.#held.delete(id);
      call.abandon();
    }, HELD_MS);
    this.#held.set(id, { caller: caller.name, call, timer: timer.unref() });
    const requestState = this.#states.seal({ id, round: call.round }, caller, request);
    return { resultType: 'input_required', inputRequests: round.inputRequests, requestState };
  }
}
