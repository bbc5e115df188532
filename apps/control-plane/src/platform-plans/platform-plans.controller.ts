import { Controller, Delete, Get, Inject, Patch, Put } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { changePlan, deletePlan, listPlans, putPlan, showPlan } from './platform-plans.schema.js';
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

  @Get(':name')
  @RequirePermission('platform.plans.read')
  @Contract(showPlan)
  show(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params }: InputOf<typeof showPlan>,
  ): Promise<AnswerOf<typeof showPlan>> {
    return this.plans.show(caller, params.name);
  }

  @Put(':name')
  @RequirePermission('platform.plans.write')
  @Contract(putPlan)
  put(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof putPlan>,
  ): Promise<AnswerOf<typeof putPlan>> {
    return this.plans.put(caller, input);
  }

  @Patch(':name')
  @RequirePermission('platform.plans.write')
  @Contract(changePlan)
  change(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof changePlan>,
  ): Promise<AnswerOf<typeof changePlan>> {
    return this.plans.change(caller, input);
  }

  @Delete(':name')
  @RequirePermission('platform.plans.write')
  @Contract(deletePlan)
  delete(@OperatorCalling() caller: OperatorCaller, @Input() input: InputOf<typeof deletePlan>): Promise<void> {
    return this.plans.delete(caller, input);
  }
}
