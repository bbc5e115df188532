import { Controller, Delete, Get, Inject, Patch, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  changeOperator,
  inviteOperator,
  listKeysOf,
  listOperators,
  reinviteOperator,
  revokeKeyOf,
} from './operator-accounts.schema.js';
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

  @Get(':id/keys')
  @RequirePermission('platform.operators.read')
  @Contract(listKeysOf)
  listKeys(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof listKeysOf>,
  ): Promise<AnswerOf<typeof listKeysOf>> {
    return this.accounts.listKeys(caller, input);
  }

  @Delete(':id/keys/:key')
  @RequirePermission('platform.operators.write')
  @Contract(revokeKeyOf)
  revokeKey(@OperatorCalling() caller: OperatorCaller, @Input() input: InputOf<typeof revokeKeyOf>): Promise<void> {
    return this.accounts.revokeKey(caller, input);
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
