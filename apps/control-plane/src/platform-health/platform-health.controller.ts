import { Controller, Get, Inject } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { showTenantHealth, showTenantUsage } from './platform-health.schema.js';
import { PlatformHealthService } from './platform-health.service.js';

/** What tenants use and how they are doing. */
@Controller('admin/v1/tenants/:tenant')
export class PlatformHealthController {
  constructor(@Inject(PlatformHealthService) private readonly tenants: PlatformHealthService) {}

  @Get('usage')
  @RequirePermission('platform.tenants.read')
  @Contract(showTenantUsage)
  usage(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params }: InputOf<typeof showTenantUsage>,
  ): Promise<AnswerOf<typeof showTenantUsage>> {
    return this.tenants.usage(caller, params.tenant);
  }

  @Get('health')
  @RequirePermission('platform.tenants.read')
  @Contract(showTenantHealth)
  health(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, query }: InputOf<typeof showTenantHealth>,
  ): Promise<AnswerOf<typeof showTenantHealth>> {
    return this.tenants.health(caller, params.tenant, query.minutes);
  }
}
