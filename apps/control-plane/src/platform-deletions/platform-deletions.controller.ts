import { Controller, Get, Inject, Post, Put } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { assignRegion, cancelDeletion, listDeletions, requestDeletion } from './platform-deletions.schema.js';
import { PlatformDeletionsService } from './platform-deletions.service.js';

/** The end of tenants, and where they are served. */
@Controller('admin/v1')
export class PlatformDeletionsController {
  constructor(@Inject(PlatformDeletionsService) private readonly deletions: PlatformDeletionsService) {}

  @Get('tenant-deletions')
  @RequirePermission('platform.tenants.read')
  @Contract(listDeletions)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listDeletions>,
  ): Promise<AnswerOf<typeof listDeletions>> {
    return this.deletions.list(caller, query);
  }

  @Post('tenants/:tenant/deletion')
  @RequirePermission('platform.tenants.delete')
  @Contract(requestDeletion)
  request(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof requestDeletion>,
  ): Promise<AnswerOf<typeof requestDeletion>> {
    return this.deletions.request(caller, params.tenant, body);
  }

  @Post('tenants/:tenant/restore')
  @RequirePermission('platform.tenants.restore')
  @Contract(cancelDeletion)
  cancel(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof cancelDeletion>,
  ): Promise<AnswerOf<typeof cancelDeletion>> {
    return this.deletions.cancel(caller, params.tenant, body);
  }

  @Put('tenants/:tenant/home-region')
  @RequirePermission('platform.tenants.home')
  @Contract(assignRegion)
  assignRegion(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof assignRegion>,
  ): Promise<void> {
    return this.deletions.assignRegion(caller, params.tenant, body);
  }
}
