import { Controller, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { replaceDataKey, showDataKeys } from './platform-data-keys.schema.js';
import { PlatformDataKeysService } from './platform-data-keys.service.js';

/** The key that a tenant's values are sealed under. */
@Controller('admin/v1/tenants/:tenant/data-key')
export class PlatformDataKeysController {
  constructor(@Inject(PlatformDataKeysService) private readonly keys: PlatformDataKeysService) {}

  @Get()
  @RequirePermission('platform.data_keys.read')
  @Contract(showDataKeys)
  show(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params }: InputOf<typeof showDataKeys>,
  ): Promise<AnswerOf<typeof showDataKeys>> {
    return this.keys.show(caller, params.tenant);
  }

  @Post()
  @RequirePermission('platform.data_keys.write')
  @Contract(replaceDataKey)
  replace(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof replaceDataKey>,
  ): Promise<AnswerOf<typeof replaceDataKey>> {
    return this.keys.replace(caller, params.tenant, body.reason);
  }
}
