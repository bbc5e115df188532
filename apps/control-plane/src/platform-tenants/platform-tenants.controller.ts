import { Controller, Get, Inject, Post, Put } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { assignPlan, listTenants, resumeTenant, showTenant, suspendTenant } from './platform-tenants.schema.js';
import { PlatformTenantsService } from './platform-tenants.service.js';

/** Operators' work on tenants. */
@Controller('admin/v1/tenants')
export class PlatformTenantsController {
  constructor(@Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService) {}

  @Get()
  @RequirePermission('platform.tenants.read')
  @Contract(listTenants)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listTenants>,
  ): Promise<AnswerOf<typeof listTenants>> {
    return this.tenants.list(caller, query);
  }

  @Get(':tenant')
  @RequirePermission('platform.tenants.read')
  @Contract(showTenant)
  show(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params }: InputOf<typeof showTenant>,
  ): Promise<AnswerOf<typeof showTenant>> {
    return this.tenants.show(caller, params.tenant);
  }

  @Post(':tenant/suspend')
  @RequirePermission('platform.tenants.write')
  @Contract(suspendTenant)
  suspend(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof suspendTenant>,
  ): Promise<AnswerOf<typeof suspendTenant>> {
    return this.tenants.suspend(caller, params.tenant, body);
  }

  @Post(':tenant/resume')
  @RequirePermission('platform.tenants.write')
  @Contract(resumeTenant)
  resume(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof resumeTenant>,
  ): Promise<AnswerOf<typeof resumeTenant>> {
    return this.tenants.resume(caller, params.tenant, body);
  }

  @Put(':tenant/plan')
  @RequirePermission('platform.tenants.write')
  @Contract(assignPlan)
  assignPlan(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof assignPlan>,
  ): Promise<AnswerOf<typeof assignPlan>> {
    return this.tenants.assignPlan(caller, params.tenant, body.plan, body.reason);
  }
}
