import { AppError } from '#libs/errors';
import type { LeasedRate } from '#libs/limits';
import { Slots } from '#libs/resilience';
import type { AuthorizedCall } from '../access/authorize.js';
import type { UsedBudget } from '../routing/tenants.repository.js';
import type { Exchange } from '../edge/exchange.js';
import { boundsAt } from '../routing/environment-bounds.js';

const admitted: unique symbol = Symbol('admitted');

/** Fourth stage: the call fits its tenant's limits and holds a lease on them. Only `Limits.admit` makes one. */
export interface AdmittedCall extends AuthorizedCall {
  readonly [admitted]: true;
  readonly exchange: Exchange;
  /** Gives the lease back; safe to call twice. */
  readonly release: () => void;
}

/** Whether an exchange stays open for as long as its client listens. */
export function isStream(exchange: Exchange): boolean {
  return exchange.operation === 'listen' || exchange.head?.method === 'subscriptions/listen';
}

/** Open streams for each concurrent call a plan allows: they cost memory, not work. */
const STREAMS_FOR_CALL = 8;

/** A tenant's limits: calls in a minute, calls and streams at once, and no principal taking all of them. */
export class Limits {
  readonly #slots = new Slots();

  constructor(private readonly rate: LeasedRate) {}

  /** Admits a call. @throws AppError rate_limited */
  async admit(call: AuthorizedCall, exchange: Exchange): Promise<AdmittedCall> {
    const { tenantId, limits, usedBudget } = call.tenant;
    if (usedBudget !== null) refuseOverBudget(usedBudget);
    const bounds = boundsAt(call.tenant, call.target);
    const perMinute = bounds?.callsPerMinute ?? null;
    // The environment first: what it refuses costs the tenant nothing.
    if (perMinute !== null)
      await this.#takeRate(`${tenantId}~${call.target.serverSlug}`, perMinute, {
        whose: 'This environment',
        rule: 'environment.calls_per_minute',
      });
    await this.#takeRate(tenantId, limits.callsPerMinute, { whose: 'This tenant', rule: 'plan.calls_per_minute' });
    const ofEnvironment = this.#takeInEnvironment(call, exchange, bounds?.concurrentCalls ?? null);
    try {
      const lease = this.#lease(call, exchange);
      return {
        ...call,
        [admitted]: true,
        exchange,
        release: ofEnvironment === undefined ? lease : both(lease, ofEnvironment),
      };
    } catch (error) {
      ofEnvironment?.();
      throw error;
    }
  }

  async #takeRate(
    key: string,
    perMinute: number,
    { whose, rule }: { readonly whose: string; readonly rule: string },
  ): Promise<void> {
    const waitSeconds = await this.rate.take(key, { perMinute, burst: perMinute });
    if (waitSeconds === 0) return;
    throw new AppError('rate_limited', {
      message: `${whose}'s limit of ${perMinute} calls a minute is reached. Try again in ${waitSeconds} s.`,
      retryAfterSeconds: waitSeconds,
      limit: { name: rule, quota: perMinute, windowSeconds: 60 },
      detail: { rule },
    });
  }

  /** A place among what an environment may have open at once; undefined where nothing is said of it. */
  #takeInEnvironment(call: AuthorizedCall, exchange: Exchange, concurrent: number | null): (() => void) | undefined {
    if (concurrent === null) return undefined;
    const kind = isStream(exchange) ? 'stream' : 'call';
    const most = kind === 'stream' ? concurrent * STREAMS_FOR_CALL : concurrent;
    const taken = this.#slots.take(`${kind}|${call.tenant.tenantId}~${call.target.serverSlug}`, most);
    if (taken !== undefined) return taken;
    throw tooManyAtOnce(
      `This environment has ${most} ${kind}s open, which is its limit.`,
      'environment.concurrent_calls',
      most,
    );
  }

  /**
   * Lets a call's message be read, whose size is all that is known of it: messages that are being sent take memory
   * before they are calls. Returns its end; safe to call twice.
   * @throws AppError rate_limited
   */
  startReading(call: AuthorizedCall): () => void {
    return this.#take(call, 'message', call.tenant.limits.concurrentCalls);
  }

  #lease(call: AuthorizedCall, exchange: Exchange): () => void {
    const { concurrentCalls } = call.tenant.limits;
    return isStream(exchange)
      ? this.#take(call, 'stream', concurrentCalls * STREAMS_FOR_CALL)
      : this.#take(call, 'call', concurrentCalls);
  }

  #take(call: AuthorizedCall, kind: 'message' | 'call' | 'stream', most: number): () => void {
    const { tenantId } = call.tenant;
    const ofTenant = this.#slots.take(`${kind}|${tenantId}`, most);
    if (ofTenant === undefined) {
      throw tooManyAtOnce(`This tenant has ${most} ${kind}s open, which is its limit.`, 'plan.concurrent_calls', most);
    }
    const mostOfPrincipal = shareOf(most);
    const ofPrincipal = this.#slots.take(`${kind}|${tenantId}|${call.principalBinding}`, mostOfPrincipal);
    if (ofPrincipal === undefined) {
      ofTenant();
      throw tooManyAtOnce(
        `These credentials have ${mostOfPrincipal} ${kind}s open, which is their share of the tenant's limit.`,
        'plan.concurrent_calls.share',
        mostOfPrincipal,
      );
    }
    return () => {
      ofTenant();
      ofPrincipal();
    };
  }
}

function both(first: () => void, second: () => void): () => void {
  return () => {
    first();
    second();
  };
}

/**
 * A route may be remembered into the next month. An agent is told which budget it is, and when calls run again: what the
 * tenant pays for, and how much it used, is the tenant's own to know (`GET /v1/usage`).
 */
function refuseOverBudget({ budget, since, until }: UsedBudget): void {
  const [began, ends] = [Date.parse(since), Date.parse(until)];
  const seconds = Math.ceil((ends - Date.now()) / 1_000);
  if (seconds <= 0) return;
  throw new AppError('rate_limited', {
    message:
      `This tenant's calls have used up what its plan allows in a month (${budget}). ` +
      `Calls run again from ${until.slice(0, 10)}, or as soon as its plan allows more.`,
    retryAfterSeconds: seconds,
    limit: {
      name: `plan.${budget}`,
      windowSeconds: (ends - began) / 1_000,
      refilledAt: new Date(ends).toISOString(),
    },
    detail: { rule: `plan.${budget}` },
  });
}

/** What one principal may take: all of a small limit, three quarters of a larger one. */
function shareOf(most: number): number {
  return most <= 8 ? most : Math.ceil(most * 0.75);
}

function tooManyAtOnce(message: string, rule: string, quota: number): AppError {
  return new AppError('rate_limited', {
    message: `${message} Wait for one to end.`,
    retryAfterSeconds: 1,
    limit: { name: rule, quota },
    detail: { rule },
  });
}
