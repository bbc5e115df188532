import { Controller, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listMasterKeys, rewrapMasterKeys } from './platform-master-keys.schema.js';
import { PlatformMasterKeysService } from './platform-master-keys.service.js';

/** The keys that everything else is sealed under. */
@Controller('admin/v1/master-keys')
export class PlatformMasterKeysController {
  constructor(@Inject(PlatformMasterKeysService) private readonly keys: PlatformMasterKeysService) {}

  @Get()
  @RequirePermission('platform.master_keys.read')
  @Contract(listMasterKeys)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listMasterKeys>,
  ): Promise<AnswerOf<typeof listMasterKeys>> {
    return this.keys.list(caller, query);
  }

  @Post('rewrap')
  @RequirePermission('platform.master_keys.write')
  @Contract(rewrapMasterKeys)
  rewrap(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { body }: InputOf<typeof rewrapMasterKeys>,
  ): Promise<AnswerOf<typeof rewrapMasterKeys>> {
    return this.keys.rewrap(caller, body.reason);
  }
}
