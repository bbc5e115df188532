import { Controller, Get, Inject } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { summarizeMetrics } from './metrics-summary.schema.js';
import { MetricsSummaryService } from './metrics-summary.service.js';

/** What a tenant's calls add up to. */
@Controller('v1/metrics/summary')
export class MetricsSummaryController {
  constructor(@Inject(MetricsSummaryService) private readonly metrics: MetricsSummaryService) {}

  @Get()
  @RequirePermission('servers.read')
  @Contract(summarizeMetrics)
  summarize(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof summarizeMetrics>,
  ): Promise<AnswerOf<typeof summarizeMetrics>> {
    return this.metrics.summarize(caller, query);
  }
}
