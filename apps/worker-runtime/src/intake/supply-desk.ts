import { AppError, toAppError } from '#libs/errors';
import type { CallerFrame, Envelope } from '#libs/protocol';
import type { TenantSupplies, Want } from './tenant-supplies.js';

/** A call that waits for supplies. */
export interface WaitingCall {
  readonly s: number;
  readonly envelope: Envelope;
  /** Tries to start it again. */
  resume(): void;
  fail(error: AppError): void;
}

interface Waiting {
  readonly call: WaitingCall;
  readonly timer: NodeJS.Timeout;
}

interface Asked {
  readonly want: Want;
  /** The first of them asks for all. */
  readonly calls: Waiting[];
  askedAtMs: number;
}

/** Three, and one for each bundle of a route, whose archives are asked for one by one. */
const ASKS_MAX = 35;

/** The calls of one connection that wait for manifests or secrets; calls that need the same ask once. */
export class SupplyDesk {
  readonly #supplies: TenantSupplies;
  readonly #ask: (s: number, want: Want) => void;
  readonly #waiting = new Map<string, Asked>();
  readonly #keys = new Map<number, string>();
  readonly #asks = new Map<number, number>();

  constructor(supplies: TenantSupplies, ask: (s: number, want: Want) => void) {
    this.#supplies = supplies;
    this.#ask = ask;
  }

  /** Lets a call wait for what it needs, until its deadline. */
  wait(call: WaitingCall, want: Want): void {
    const asks = (this.#asks.get(call.s) ?? 0) + 1;
    if (asks > ASKS_MAX) {
      call.fail(new AppError('internal', { detail: { reason: 'supplies were asked for and did not come' } }));
      return;
    }
    this.#asks.set(call.s, asks);
    const { route, contextVersion, deadlineMs } = call.envelope;
    const key = JSON.stringify([route.tenantId, want.digests, want.context ? contextVersion : '']);
    const timer = setTimeout(() => call.fail(new AppError('deadline_exceeded')), Math.max(0, deadlineMs - Date.now()));
    const asked = this.#waiting.get(key) ?? { want, calls: [], askedAtMs: Date.now() };
    asked.calls.push({ call, timer });
    this.#waiting.set(key, asked);
    this.#keys.set(call.s, key);
    if (asked.calls.length === 1) this.#ask(call.s, want);
  }

  /** Takes what a call asked for, for itself and for those that wait with it. */
  supplied(frame: Extract<CallerFrame, { t: 'supply' }>, payload: Buffer): void {
    const key = this.#keys.get(frame.s);
    const asked = key === undefined ? undefined : this.#waiting.get(key);
    if (key === undefined || asked === undefined || asked.calls[0]?.call.s !== frame.s) return;
    this.#waiting.delete(key);
    for (const { call, timer } of asked.calls) {
      clearTimeout(timer);
      this.#keys.delete(call.s);
    }
    try {
      this.#supplies.accept(asked.calls[0].call.envelope, frame, payload, asked.askedAtMs);
    } catch (error) {
      for (const { call } of asked.calls) call.fail(toAppError(error));
      return;
    }
    for (const { call } of asked.calls) call.resume();
  }

  /** Forgets a call that is over; if it was the one that asked, the next one asks again. */
  leave(s: number): void {
    this.#asks.delete(s);
    const key = this.#keys.get(s);
    const asked = key === undefined ? undefined : this.#waiting.get(key);
    if (key === undefined || asked === undefined) return;
    this.#keys.delete(s);
    const index = asked.calls.findIndex(({ call }) => call.s === s);
    const [left] = asked.calls.splice(index, 1);
    clearTimeout(left?.timer);
    const next = asked.calls[0];
    if (next === undefined) this.#waiting.delete(key);
    else if (index === 0) {
      asked.askedAtMs = Date.now();
      this.#ask(next.call.s, asked.want);
    }
  }
}
