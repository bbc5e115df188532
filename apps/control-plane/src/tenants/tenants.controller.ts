import { Controller, Get, Inject, Patch } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { changeTenant, getTenant } from './tenants.schema.js';
import { TenantsService } from './tenants.service.js';

/** The tenant of the credentials. */
@Controller('v1/tenant')
export class TenantsController {
  constructor(@Inject(TenantsService) private readonly tenants: TenantsService) {}

  @Get()
  @RequirePermission('tenant.read')
  @Contract(getTenant)
  get(@TenantCalling() caller: TenantCaller): Promise<AnswerOf<typeof getTenant>> {
    return this.tenants.get(caller);
  }

  @Patch()
  @RequirePermission('tenant.write')
  @Contract(changeTenant)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeTenant>,
  ): Promise<AnswerOf<typeof changeTenant>> {
    return this.tenants.change(caller, input);
  }
}
