import { Controller, Get, Inject } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listActions } from './actions.schema.js';
import { ActionsService } from './actions.service.js';

/** What operators did. */
@Controller('admin/v1/actions')
export class ActionsController {
  constructor(@Inject(ActionsService) private readonly actions: ActionsService) {}

  @Get()
  @RequirePermission('platform.actions.read')
  @Contract(listActions)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listActions>,
  ): Promise<AnswerOf<typeof listActions>> {
    return this.actions.list(caller, query);
  }
}
