import { Controller, Delete, Get, Inject, Patch } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { changeMember, getMember, listMembers, removeMember } from './members.schema.js';
import { MembersService } from './members.service.js';

/** The tenant's members. */
@Controller('v1/members')
export class MembersController {
  constructor(@Inject(MembersService) private readonly members: MembersService) {}

  @Get()
  @RequirePermission('members.read')
  @Contract(listMembers)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listMembers>,
  ): Promise<AnswerOf<typeof listMembers>> {
    return this.members.list(caller, query);
  }

  @Get(':member')
  @RequirePermission('members.read')
  @Contract(getMember)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getMember>,
  ): Promise<AnswerOf<typeof getMember>> {
    return this.members.get(caller, params.member);
  }

  @Patch(':member')
  @RequirePermission('members.write')
  @Contract(changeMember)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeMember>,
  ): Promise<AnswerOf<typeof changeMember>> {
    return this.members.change(caller, input);
  }

  @Delete(':member')
  @RequirePermission('members.write')
  @Contract(removeMember)
  remove(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof removeMember>,
  ): Promise<AnswerOf<typeof removeMember>> {
    return this.members.remove(caller, input);
  }
}
