import { Controller, Get, Inject, Patch, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { changeOperator, inviteOperator, listOperators, reinviteOperator } from './operator-accounts.schema.js';
import { OperatorAccountsService } from './operator-accounts.service.js';

/** Operators' accounts. */
@Controller('admin/v1/operators')
export class OperatorAccountsController {
  constructor(@Inject(OperatorAccountsService) private readonly accounts: OperatorAccountsService) {}

  @Get()
  @RequirePermission('platform.operators.read')
  @Contract(listOperators)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listOperators>,
  ): Promise<AnswerOf<typeof listOperators>> {
    return this.accounts.list(caller, query);
  }

  @Post()
  @RequirePermission('platform.operators.write')
  @Contract(inviteOperator)
  invite(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { body }: InputOf<typeof inviteOperator>,
  ): Promise<AnswerOf<typeof inviteOperator>> {
    return this.accounts.invite(caller, body);
  }

  @Patch(':id')
  @RequirePermission('platform.operators.write')
  @Contract(changeOperator)
  change(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof changeOperator>,
  ): Promise<AnswerOf<typeof changeOperator>> {
    return this.accounts.change(caller, params.id, body);
  }

  @Post(':id/invitation')
  @RequirePermission('platform.operators.write')
  @Contract(reinviteOperator)
  reinvite(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof reinviteOperator>,
  ): Promise<AnswerOf<typeof reinviteOperator>> {
    return this.accounts.reinvite(caller, params.id, body.reason);
  }
}
