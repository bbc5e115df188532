import { Controller, Delete, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { holdTenant, liftHold, listHolds } from './platform-holds.schema.js';
import { PlatformHoldsService } from './platform-holds.service.js';

/** What keeps a tenant from being forgotten. Why it is held is for those alone who hold: support sees that it is. */
@Controller('admin/v1/tenants/:tenant/legal-holds')
export class PlatformHoldsController {
  constructor(@Inject(PlatformHoldsService) private readonly holds: PlatformHoldsService) {}

  @Get()
  @RequirePermission('platform.holds.write')
  @Contract(listHolds)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params }: InputOf<typeof listHolds>,
  ): Promise<AnswerOf<typeof listHolds>> {
    return this.holds.list(caller, params.tenant);
  }

  @Post()
  @RequirePermission('platform.holds.write')
  @Contract(holdTenant)
  hold(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof holdTenant>,
  ): Promise<AnswerOf<typeof holdTenant>> {
    return this.holds.hold(caller, params.tenant, body);
  }

  @Delete(':hold')
  @RequirePermission('platform.holds.lift')
  @Contract(liftHold)
  lift(@OperatorCalling() caller: OperatorCaller, @Input() { params, query }: InputOf<typeof liftHold>): Promise<void> {
    return this.holds.lift(caller, params, query.reason);
  }
}
