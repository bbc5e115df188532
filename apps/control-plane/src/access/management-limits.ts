import type { ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors';
import { SharedRate, type Rate } from '#libs/limits';
import type { RedisStore } from '#libs/redis';
import { Slots } from '#libs/resilience';
import type { ControlPlaneConfig } from '../config.js';
import { whenClosed } from '../edge/when-closed.js';
import { CONFIG, REDIS } from '../platform/tokens.js';
import type { Caller } from './caller.js';

/**
 * Requests that one tenant, or one operator, may have running. Each holds one database connection at most, and there
 * are half as many again (`TENANT_CONNECTIONS`), so that one tenant's slow queries leave some to the others.
 */
export const RUNNING_MAX = 16;

/** Whose limits a caller's requests count against. */
export function holderOf(caller: Caller): string {
  if (caller.kind === 'tenant' && caller.impersonatedBy !== undefined) return `operator|${caller.impersonatedBy}`;
  return caller.kind === 'operator' ? `operator|${caller.operatorId}` : `tenant|${caller.tenantId}`;
}

/** Bounds what one tenant, or one operator, asks of the management API: requests in a minute, and at once. */
@Injectable()
export class ManagementLimits {
  readonly #rates: SharedRate;
  readonly #slots = new Slots();
  readonly #rate: Rate;

  constructor(@Inject(REDIS) redis: RedisStore, @Inject(CONFIG) config: ControlPlaneConfig) {
    const perMinute = config.WHARF_MANAGEMENT_CALLS_PER_MINUTE;
    this.#rates = new SharedRate(redis);
    this.#rate = { perMinute, burst: Math.ceil(perMinute / 6) };
  }

  /** Admits a request of a holder until its answer ends. @throws AppError `rate_limited` */
  async admit(holder: string, response: ServerResponse): Promise<void> {
    const release = this.#slots.take(holder, RUNNING_MAX);
    if (release === undefined) {
      throw new AppError('rate_limited', {
        message: `${RUNNING_MAX} requests are running, which is the limit. Wait for one to end.`,
        retryAfterSeconds: 1,
        limit: { name: 'management.concurrent_requests', quota: RUNNING_MAX },
      });
    }
    whenClosed(response, release);
    const waitSeconds = await this.#rates.take(`management|${holder}`, this.#rate);
    if (waitSeconds === 0) return;
    throw new AppError('rate_limited', {
      message: `The limit of ${this.#rate.perMinute} management requests a minute is reached. Try again in ${waitSeconds} s.`,
      retryAfterSeconds: waitSeconds,
      limit: { name: 'management.calls_per_minute', quota: this.#rate.perMinute, windowSeconds: 60 },
    });
  }
}
