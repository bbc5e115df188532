import { Controller, Delete, Get, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { OpenWhileDeleting, RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { deleteTenant, restoreTenant, showDeletion } from './tenant-deletion.schema.js';
import { TenantDeletionService } from './tenant-deletion.service.js';

/** The end of the tenant of the credentials. */
@Controller('v1/tenant')
export class TenantDeletionController {
  constructor(@Inject(TenantDeletionService) private readonly deletion: TenantDeletionService) {}

  @Delete()
  @RequirePermission('tenant.delete')
  @Contract(deleteTenant)
  request(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof deleteTenant>,
  ): Promise<AnswerOf<typeof deleteTenant>> {
    return this.deletion.request(caller, query);
  }

  @Get('deletion')
  @RequirePermission('tenant.read')
  @OpenWhileDeleting()
  @Contract(showDeletion)
  show(@TenantCalling() caller: TenantCaller): Promise<AnswerOf<typeof showDeletion>> {
    return this.deletion.show(caller);
  }

  @Post('restore')
  @RequirePermission('tenant.restore')
  @OpenWhileDeleting()
  @Contract(restoreTenant)
  restore(@TenantCalling() caller: TenantCaller): Promise<AnswerOf<typeof restoreTenant>> {
    return this.deletion.restore(caller);
  }
}
