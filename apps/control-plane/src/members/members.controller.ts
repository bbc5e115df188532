import { Controller, Get, Inject } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, type AnswerOf } from '../contract/contract.js';
import { listMembers } from './members.schema.js';
import { MembersService } from './members.service.js';

/** The tenant's members. */
@Controller('v1/members')
export class MembersController {
  constructor(@Inject(MembersService) private readonly members: MembersService) {}

  @Get()
  @RequirePermission('members.read')
  @Contract(listMembers)
  list(@TenantCalling() caller: TenantCaller): Promise<AnswerOf<typeof listMembers>> {
    return this.members.list(caller);
  }
}
