import { Controller, Get, Inject, Patch } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { chooseFlag, listFlags } from './feature-flags.schema.js';
import { FeatureFlagsService } from './feature-flags.service.js';

/** Feature flags as a tenant has them. */
@Controller('v1/feature-flags')
export class FeatureFlagsController {
  constructor(@Inject(FeatureFlagsService) private readonly flags: FeatureFlagsService) {}

  @Get()
  @RequirePermission('tenant.read')
  @Contract(listFlags)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listFlags>,
  ): Promise<AnswerOf<typeof listFlags>> {
    return this.flags.list(caller, query);
  }

  @Patch()
  @RequirePermission('tenant.write')
  @Contract(chooseFlag)
  choose(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof chooseFlag>,
  ): Promise<AnswerOf<typeof chooseFlag>> {
    return this.flags.choose(caller, body);
  }
}
