import { Controller, Get, Inject, StreamableFile } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { exportUsage, listUsage, showBudgets } from './usage.schema.js';
import { UsageService } from './usage.service.js';

/** What a tenant's calls used. */
@Controller('v1/usage')
export class UsageController {
  constructor(@Inject(UsageService) private readonly usage: UsageService) {}

  @Get()
  @RequirePermission('usage.read')
  @Contract(listUsage)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listUsage>,
  ): Promise<AnswerOf<typeof listUsage>> {
    return this.usage.list(caller, query);
  }

  @Get('export')
  @RequirePermission('usage.read')
  @Contract(exportUsage)
  async export(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof exportUsage>,
  ): Promise<StreamableFile> {
    return new StreamableFile(Buffer.from(await this.usage.export(caller, query)), { type: 'text/csv' });
  }

  @Get('budgets')
  @RequirePermission('usage.read')
  @Contract(showBudgets)
  budgets(@TenantCalling() caller: TenantCaller): Promise<AnswerOf<typeof showBudgets>> {
    return this.usage.budgets(caller);
  }
}
