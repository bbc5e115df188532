import { Controller, Get, Inject, Put } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { setLimits, showLimits } from './platform-limits.schema.js';
import { PlatformLimitsService } from './platform-limits.service.js';

/** Limits of single tenants. */
@Controller('admin/v1/tenants/:tenant/limits')
export class PlatformLimitsController {
  constructor(@Inject(PlatformLimitsService) private readonly limits: PlatformLimitsService) {}

  @Get()
  @RequirePermission('platform.tenants.read')
  @Contract(showLimits)
  show(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params }: InputOf<typeof showLimits>,
  ): Promise<AnswerOf<typeof showLimits>> {
    return this.limits.show(caller, params.tenant);
  }

  @Put()
  @RequirePermission('platform.tenants.write')
  @Contract(setLimits)
  set(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof setLimits>,
  ): Promise<AnswerOf<typeof setLimits>> {
    return this.limits.set(caller, input);
  }
}
