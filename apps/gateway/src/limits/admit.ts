import { AppError } from '#libs/errors';
import type { LeasedQuota, SharedSlots, WhenUncertain } from '#libs/limits';
import { Slots } from '#libs/resilience';
import type { AuthorizedCall } from '../access/authorize.js';
import type { UsedBudget } from '../routing/tenants.repository.js';
import type { Exchange } from '../edge/exchange.js';
import { boundsAt } from '../routing/environment-bounds.js';
import { RateReached } from './rate-reached.js';

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

/** Messages that may be read at once whatever the plan: who sends a few too many hears which of them was refused. */
const MESSAGES_MIN = 16;
/** Open streams for each concurrent call a plan allows: they cost memory, not work. */
const STREAMS_FOR_CALL = 8;

/**
 * A tenant's limits: calls in a minute, calls and streams at once, counted for all gateways together; and at each gateway no
 * principal taking all of them.
 */
export class Limits {
  /** What this gateway alone counts. */
  readonly #own = new Slots();

  constructor(
    private readonly quotas: LeasedQuota,
    private readonly slots: SharedSlots,
  ) {}

  /** Admits a call. @throws AppError rate_limited */
  async admit(call: AuthorizedCall, exchange: Exchange): Promise<AdmittedCall> {
    const { tenantId, limits, usedBudget } = call.tenant;
    if (usedBudget !== null) refuseOverBudget(usedBudget);
    const bounds = boundsAt(call.tenant, call.target);
    const perMinute = bounds?.callsPerMinute ?? null;
    const { whenUncertain } = limits;
    // The environment first: what it refuses costs the tenant nothing.
    if (perMinute !== null)
      await this.#takeRate(
        `${tenantId}~${call.target.serverSlug}`,
        { perMinute, whenUncertain },
        { whose: 'This environment', rule: 'environment.calls_per_minute' },
      );
    await this.#takeRate(
      tenantId,
      { perMinute: limits.callsPerMinute, whenUncertain },
      { whose: 'This tenant', rule: 'plan.calls_per_minute' },
    );
    const ofEnvironment = await this.#takeInEnvironment(call, exchange, bounds?.concurrentCalls ?? null);
    try {
      const lease = await this.#lease(call, exchange);
      return { ...call, [admitted]: true, exchange, release: both(lease, ofEnvironment) };
    } catch (error) {
      ofEnvironment?.();
      throw error;
    }
  }

  async #takeRate(
    key: string,
    { perMinute, whenUncertain }: { readonly perMinute: number; readonly whenUncertain: WhenUncertain },
    { whose, rule }: { readonly whose: string; readonly rule: string },
  ): Promise<void> {
    const verdict = await this.quotas.take(key, { quota: perMinute, windowSeconds: 60 }, whenUncertain);
    if (verdict === 'taken') return;
    if (verdict === 'unknown') throw uncounted(rule);
    const { waitSeconds, sureUntilMs } = verdict;
    throw new RateReached(
      {
        message: `${whose}'s limit of ${perMinute} calls a minute is reached. Try again in ${waitSeconds} s.`,
        retryAfterSeconds: waitSeconds,
        limit: { name: rule, quota: perMinute, windowSeconds: 60 },
        detail: { rule },
      },
      sureUntilMs,
    );
  }

  /** A place among what an environment may have open at once; undefined where nothing is said of it. */
  async #takeInEnvironment(
    call: AuthorizedCall,
    exchange: Exchange,
    concurrent: number | null,
  ): Promise<(() => void) | undefined> {
    if (concurrent === null) return undefined;
    const { tenantId, limits } = call.tenant;
    return this.#takeShared(`${tenantId}~${call.target.serverSlug}`, exchange, concurrent, {
      whose: 'This environment',
      rule: 'environment.concurrent_calls',
      whenUncertain: limits.whenUncertain,
    });
  }

  /**
   * Lets a call's message be read, whose size is all that is known of it: messages that are being sent take memory
   * before they are calls. Returns its end; safe to call twice.
   * @throws AppError rate_limited
   */
  startReading(call: AuthorizedCall): () => void {
    const { tenantId, limits } = call.tenant;
    const most = Math.max(limits.concurrentCalls, MESSAGES_MIN);
    const ofTenant = this.#own.take(`message|${tenantId}`, most);
    if (ofTenant === undefined) throw tooManyAtOnce('This tenant', 'message', most, 'plan.concurrent_calls');
    try {
      return both(ofTenant, this.#takeShare(call, 'message', most));
    } catch (error) {
      ofTenant();
      throw error;
    }
  }

  async #lease(call: AuthorizedCall, exchange: Exchange): Promise<() => void> {
    const { tenantId, limits } = call.tenant;
    const kind = kindOf(exchange);
    // A principal's share first: what it refuses asks nobody.
    const ofPrincipal = this.#takeShare(call, kind, mostOf(kind, limits.concurrentCalls));
    try {
      const { whenUncertain } = limits;
      const told = { whose: 'This tenant', rule: 'plan.concurrent_calls', whenUncertain };
      return both(ofPrincipal, await this.#takeShared(tenantId, exchange, limits.concurrentCalls, told));
    } catch (error) {
      ofPrincipal();
      throw error;
    }
  }

  /** A place among what may be open at once at all gateways together. */
  async #takeShared(
    key: string,
    exchange: Exchange,
    concurrent: number,
    { whose, rule, whenUncertain }: SharedLimit,
  ): Promise<() => void> {
    const kind = kindOf(exchange);
    const most = mostOf(kind, concurrent);
    const verdict = await this.slots.take(`${kind}|${key}`, most, whenUncertain);
    if (verdict === 'unknown') throw uncounted(rule);
    if (verdict === 'full') throw tooManyAtOnce(whose, kind, most, rule);
    return verdict;
  }

  /** A place among a principal's own, at this gateway. */
  #takeShare(call: AuthorizedCall, kind: Kind, most: number): () => void {
    const share = shareOf(most);
    const taken = this.#own.take(`${kind}|${call.tenant.tenantId}|${call.principalBinding}`, share);
    if (taken !== undefined) return taken;
    // All of a small limit is the tenant's, whoever has it.
    if (share === most) throw tooManyAtOnce('This tenant', kind, most, 'plan.concurrent_calls');
    throw new AppError('rate_limited', {
      message: `These credentials have ${share} ${kind}s open, which is their share of the tenant's limit. Wait for one to end.`,
      retryAfterSeconds: 1,
      limit: { name: 'plan.concurrent_calls.share', quota: share },
      detail: { rule: 'plan.concurrent_calls.share' },
    });
  }
}

/** What is counted of what may be open at once. */
type Kind = 'message' | 'call' | 'stream';

/** A limit that all gateways share, as who is refused hears of it. */
interface SharedLimit {
  readonly whose: string;
  readonly rule: string;
  readonly whenUncertain: WhenUncertain;
}

function kindOf(exchange: Exchange): 'call' | 'stream' {
  return isStream(exchange) ? 'stream' : 'call';
}

function mostOf(kind: Kind, concurrent: number): number {
  return kind === 'stream' ? concurrent * STREAMS_FOR_CALL : concurrent;
}

/** Nobody can count for all gateways together, and the plan says that nothing runs then. */
function uncounted(rule: string): AppError {
  return new AppError('unavailable', {
    message: "Calls cannot be counted at the moment, and this tenant's plan refuses them then. Try again shortly.",
    retryAfterSeconds: 2,
    detail: { rule },
  });
}

function both(first: () => void, second: (() => void) | undefined): () => void {
  if (second === undefined) return first;
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

function tooManyAtOnce(whose: string, kind: Kind, quota: number, rule: string): AppError {
  return new AppError('rate_limited', {
    message: `${whose} has ${quota} ${kind}s open, which is its limit. Wait for one to end.`,
    retryAfterSeconds: 1,
    limit: { name: rule, quota },
    detail: { rule },
  });
}
