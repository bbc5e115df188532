import { Controller, Delete, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { createOwnKey, listOwnKeys, revokeOwnKey, showSelf, signOut } from './operator-own.schema.js';
import { OperatorOwnService } from './operator-own.service.js';

/** What an operator does about themselves. */
@Controller('admin/v1/me')
export class OperatorOwnController {
  constructor(@Inject(OperatorOwnService) private readonly own: OperatorOwnService) {}

  @Get()
  @RequirePermission('platform.own')
  @Contract(showSelf)
  show(@OperatorCalling() caller: OperatorCaller): AnswerOf<typeof showSelf> {
    return this.own.show(caller);
  }

  @Post('sign-out')
  @RequirePermission('platform.own')
  @Contract(signOut)
  signOut(@OperatorCalling() caller: OperatorCaller): Promise<void> {
    return this.own.signOut(caller);
  }

  @Get('keys')
  @RequirePermission('platform.own')
  @Contract(listOwnKeys)
  listKeys(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listOwnKeys>,
  ): Promise<AnswerOf<typeof listOwnKeys>> {
    return this.own.listKeys(caller, query);
  }

  @Post('keys')
  @RequirePermission('platform.own')
  @Contract(createOwnKey)
  createKey(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { body }: InputOf<typeof createOwnKey>,
  ): Promise<AnswerOf<typeof createOwnKey>> {
    return this.own.createKey(caller, body);
  }

  @Delete('keys/:id')
  @RequirePermission('platform.own')
  @Contract(revokeOwnKey)
  revokeKey(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, query }: InputOf<typeof revokeOwnKey>,
  ): Promise<void> {
    return this.own.revokeKey(caller, params.id, query.reason);
  }
}
