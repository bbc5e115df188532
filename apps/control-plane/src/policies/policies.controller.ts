import { Controller, Delete, Get, Inject, Put } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { deletePolicy, getPolicy, listPolicies, putPolicy } from './policies.schema.js';
import { PoliciesService } from './policies.service.js';

/** A tenant’s rules on calls. */
@Controller('v1/policies')
export class PoliciesController {
  constructor(@Inject(PoliciesService) private readonly policies: PoliciesService) {}

  @Get()
  @RequirePermission('policies.read')
  @Contract(listPolicies)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listPolicies>,
  ): Promise<AnswerOf<typeof listPolicies>> {
    return this.policies.list(caller, query);
  }

  @Get(':name')
  @RequirePermission('policies.read')
  @Contract(getPolicy)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getPolicy>,
  ): Promise<AnswerOf<typeof getPolicy>> {
    return this.policies.get(caller, params.name);
  }

  @Put(':name')
  @RequirePermission('policies.write')
  @Contract(putPolicy)
  put(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof putPolicy>,
  ): Promise<AnswerOf<typeof putPolicy>> {
    return this.policies.put(caller, input);
  }

  @Delete(':name')
  @RequirePermission('policies.write')
  @Contract(deletePolicy)
  remove(@TenantCalling() caller: TenantCaller, @Input() input: InputOf<typeof deletePolicy>): Promise<void> {
    return this.policies.remove(caller, input);
  }
}
