import { Controller, Delete, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { beginImpersonation, endImpersonation, listImpersonations } from './impersonations.schema.js';
import { ImpersonationsService } from './impersonations.service.js';

/** Operators' looks at tenants through their own API. */
@Controller('admin/v1/tenants/:tenant/impersonations')
export class ImpersonationsController {
  constructor(@Inject(ImpersonationsService) private readonly impersonations: ImpersonationsService) {}

  @Get()
  @RequirePermission('platform.impersonations.read')
  @Contract(listImpersonations)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof listImpersonations>,
  ): Promise<AnswerOf<typeof listImpersonations>> {
    return this.impersonations.list(caller, input);
  }

  @Post()
  @RequirePermission('platform.impersonations.write')
  @Contract(beginImpersonation)
  begin(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof beginImpersonation>,
  ): Promise<AnswerOf<typeof beginImpersonation>> {
    return this.impersonations.begin(caller, params.tenant, body);
  }

  @Delete(':id')
  @RequirePermission('platform.impersonations.write')
  @Contract(endImpersonation)
  end(@OperatorCalling() caller: OperatorCaller, @Input() input: InputOf<typeof endImpersonation>): Promise<void> {
    return this.impersonations.end(caller, input);
  }
}
