import { Controller, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { appointOwner, showOwners } from './platform-owners.schema.js';
import { PlatformOwnersService } from './platform-owners.service.js';

/** Tenants whose owners nobody can reach. */
@Controller('admin/v1/tenants/:tenant/owners')
export class PlatformOwnersController {
  constructor(@Inject(PlatformOwnersService) private readonly owners: PlatformOwnersService) {}

  @Get()
  @RequirePermission('platform.tenants.read')
  @Contract(showOwners)
  show(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params }: InputOf<typeof showOwners>,
  ): Promise<AnswerOf<typeof showOwners>> {
    return this.owners.show(caller, params.tenant);
  }

  @Post()
  @RequirePermission('platform.tenants.owners')
  @Contract(appointOwner)
  appoint(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof appointOwner>,
  ): Promise<AnswerOf<typeof appointOwner>> {
    return this.owners.appoint(caller, params.tenant, body);
  }
}
