import { Controller, Get, Inject, Put } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listPlans, putPlan } from './platform-plans.schema.js';
import { PlatformPlansService } from './platform-plans.service.js';

/** The platform's plans. */
@Controller('admin/v1/plans')
export class PlatformPlansController {
  constructor(@Inject(PlatformPlansService) private readonly plans: PlatformPlansService) {}

  @Get()
  @RequirePermission('platform.plans.read')
  @Contract(listPlans)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listPlans>,
  ): Promise<AnswerOf<typeof listPlans>> {
    return this.plans.list(caller, query);
  }

  @Put(':name')
  @RequirePermission('platform.plans.write')
  @Contract(putPlan)
  put(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof putPlan>,
  ): Promise<AnswerOf<typeof putPlan>> {
    return this.plans.put(caller, params.name, body);
  }
}
