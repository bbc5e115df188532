import { Controller, Delete, Get, Inject, Put } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { deleteCallLimit, getCallLimit, listCallLimits, putCallLimit } from './call-limits.schema.js';
import { CallLimitsService } from './call-limits.service.js';

/** How often a tenant lets its tools be called. */
@Controller('v1/call-limits')
export class CallLimitsController {
  constructor(@Inject(CallLimitsService) private readonly limits: CallLimitsService) {}

  @Get()
  @RequirePermission('call_limits.read')
  @Contract(listCallLimits)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listCallLimits>,
  ): Promise<AnswerOf<typeof listCallLimits>> {
    return this.limits.list(caller, query);
  }

  @Get(':name')
  @RequirePermission('call_limits.read')
  @Contract(getCallLimit)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getCallLimit>,
  ): Promise<AnswerOf<typeof getCallLimit>> {
    return this.limits.get(caller, params.name);
  }

  @Put(':name')
  @RequirePermission('call_limits.write')
  @Contract(putCallLimit)
  put(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof putCallLimit>,
  ): Promise<AnswerOf<typeof putCallLimit>> {
    return this.limits.put(caller, input);
  }

  @Delete(':name')
  @RequirePermission('call_limits.write')
  @Contract(deleteCallLimit)
  remove(@TenantCalling() caller: TenantCaller, @Input() input: InputOf<typeof deleteCallLimit>): Promise<void> {
    return this.limits.remove(caller, input);
  }
}
