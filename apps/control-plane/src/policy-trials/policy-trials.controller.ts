import { Controller, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { tryPolicy } from './policy-trials.schema.js';
import { PolicyTrialsService } from './policy-trials.service.js';

/** Rules tried on calls of the past: whoever may read the audit log may, for what is shown is in it. */
@Controller('v1/policies/dry-run')
export class PolicyTrialsController {
  constructor(@Inject(PolicyTrialsService) private readonly trials: PolicyTrialsService) {}

  @Post()
  @RequirePermission('audit.read')
  @Contract(tryPolicy)
  try(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof tryPolicy>,
  ): Promise<AnswerOf<typeof tryPolicy>> {
    return this.trials.try(caller, body);
  }
}
