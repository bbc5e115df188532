import { Controller, Get, Inject, Patch } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  decideTenantFlag,
  listPlatformFlags,
  listTenantFlags,
  setPlatformFlag,
} from './platform-feature-flags.schema.js';
import { PlatformFeatureFlagsService } from './platform-feature-flags.service.js';

/** Operators' work on feature flags. */
@Controller('admin/v1')
export class PlatformFeatureFlagsController {
  constructor(@Inject(PlatformFeatureFlagsService) private readonly flags: PlatformFeatureFlagsService) {}

  @Get('feature-flags')
  @RequirePermission('platform.flags.read')
  @Contract(listPlatformFlags)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listPlatformFlags>,
  ): Promise<AnswerOf<typeof listPlatformFlags>> {
    return this.flags.list(caller, query);
  }

  @Patch('feature-flags')
  @RequirePermission('platform.flags.write')
  @Contract(setPlatformFlag)
  set(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { body }: InputOf<typeof setPlatformFlag>,
  ): Promise<AnswerOf<typeof setPlatformFlag>> {
    return this.flags.set(caller, body);
  }

  @Get('tenants/:tenant/feature-flags')
  @RequirePermission('platform.flags.read')
  @Contract(listTenantFlags)
  listForTenant(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof listTenantFlags>,
  ): Promise<AnswerOf<typeof listTenantFlags>> {
    return this.flags.listForTenant(caller, input);
  }

  @Patch('tenants/:tenant/feature-flags')
  @RequirePermission('platform.flags.write')
  @Contract(decideTenantFlag)
  decide(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof decideTenantFlag>,
  ): Promise<AnswerOf<typeof decideTenantFlag>> {
    return this.flags.decide(caller, params.tenant, body);
  }
}
