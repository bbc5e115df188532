import { Controller, Get, Inject } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { diffRelease } from './release-diffs.schema.js';
import { ReleaseDiffsService } from './release-diffs.service.js';

/** What is different between releases. */
@Controller('v1/servers/:server/releases/:release/diff')
export class ReleaseDiffsController {
  constructor(@Inject(ReleaseDiffsService) private readonly diffs: ReleaseDiffsService) {}

  @Get()
  @RequirePermission('releases.read')
  @Contract(diffRelease)
  diff(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, query }: InputOf<typeof diffRelease>,
  ): Promise<AnswerOf<typeof diffRelease>> {
    return this.diffs.diff(caller, { params, query });
  }
}
