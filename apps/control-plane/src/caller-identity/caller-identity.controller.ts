import { Controller, Get, Inject } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, type AnswerOf } from '../contract/contract.js';
import { getCaller } from './caller-identity.schema.js';
import { CallerIdentityService } from './caller-identity.service.js';

/** Whose credentials a request has. */
@Controller('v1/me')
export class CallerIdentityController {
  constructor(@Inject(CallerIdentityService) private readonly identity: CallerIdentityService) {}

  @Get()
  @RequirePermission('tenant.read')
  @Contract(getCaller)
  get(@TenantCalling() caller: TenantCaller): Promise<AnswerOf<typeof getCaller>> {
    return this.identity.get(caller);
  }
}
