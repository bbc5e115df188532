import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '#libs/errors';
import { CALL_SECONDS } from '#libs/telemetry';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf } from '../contract/contract.js';
import { MetricsSummaryRepository } from '../metrics-summary/metrics-summary.repository.js';
import { quantileOf } from '../metrics-summary/quantile.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { UsageRepository } from '../usage/usage.repository.js';
import type { showTenantHealth, showTenantUsage } from './platform-health.schema.js';

const DAYS = 30;
const DAY_MS = 86_400_000;

/** What tenants use and how they are doing, in sums that say nothing of what is theirs. */
@Injectable()
export class PlatformHealthService {
  constructor(
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(UsageRepository) private readonly ledger: UsageRepository,
    @Inject(MetricsSummaryRepository) private readonly metrics: MetricsSummaryRepository,
  ) {}

  /** @throws AppError `not_found` */
  async usage(caller: OperatorCaller, slug: string): Promise<AnswerOf<typeof showTenantUsage>> {
    const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
    const from = dayOf(Date.now() - (DAYS - 1) * DAY_MS);
    const filter = { from, to: dayOf(Date.now() + DAY_MS), per: 'day', by: [] } as const;
    return this.tenants.look(caller, slug, 'usage.show', async (tx, id) => {
      const month = await this.ledger.month(tx, id);
      if (month === undefined) throw new AppError('not_found');
      const days = await this.ledger.sum(tx, id, filter, DAYS);
      return {
        month: month.month,
        resets_at: month.resets_at.toISOString(),
        budgets: [...month.budgets],
        days: days.map(({ at, server: _, tool: __, client: ___, ...sums }) => ({ day: dayOf(at.getTime()), ...sums })),
      };
    });
  }

  /** @throws AppError `not_found` */
  async health(caller: OperatorCaller, slug: string, minutes: number): Promise<AnswerOf<typeof showTenantHealth>> {
    const { status } = await this.tenants.get(slug);
    const from = new Date(Date.now() - minutes * 60_000);
    return this.tenants.look(caller, slug, 'health.show', async (tx, id) => {
      const total = await this.metrics.total(tx, id, from);
      const { calls, tool_errors, failures, refusals, concurrency_peak, worker_memory_bytes: memory } = total;
      const quantile = (of: number): number | null => quantileOf(of, total.buckets, CALL_SECONDS);
      return {
        status,
        minutes,
        calls,
        tool_errors,
        failures,
        refusals,
        concurrency_peak,
        p50_seconds: quantile(0.5),
        p95_seconds: quantile(0.95),
        p99_seconds: quantile(0.99),
        worker_memory_bytes: memory === 0 ? null : memory,
      };
    });
  }
}
