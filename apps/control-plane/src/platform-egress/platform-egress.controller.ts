import { Controller, Delete, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { addAllowance, listAllowances, removeAllowance } from './platform-egress.schema.js';
import { PlatformEgressService } from './platform-egress.service.js';

/** Private addresses that a tenant's tools may call. */
@Controller('admin/v1/tenants/:tenant/egress-allowances')
export class PlatformEgressController {
  constructor(@Inject(PlatformEgressService) private readonly egress: PlatformEgressService) {}

  @Get()
  @RequirePermission('platform.egress.read')
  @Contract(listAllowances)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof listAllowances>,
  ): Promise<AnswerOf<typeof listAllowances>> {
    return this.egress.list(caller, input);
  }

  @Post()
  @RequirePermission('platform.egress.write')
  @Contract(addAllowance)
  add(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof addAllowance>,
  ): Promise<AnswerOf<typeof addAllowance>> {
    return this.egress.add(caller, params.tenant, body);
  }

  @Delete(':id')
  @RequirePermission('platform.egress.write')
  @Contract(removeAllowance)
  remove(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, query }: InputOf<typeof removeAllowance>,
  ): Promise<void> {
    return this.egress.remove(caller, params.tenant, { id: params.id, reason: query.reason });
  }
}
