import { Controller, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listSigningKeys, retireSigningKey, rotateSigningKey } from './platform-signing-keys.schema.js';
import { PlatformSigningKeysService } from './platform-signing-keys.service.js';

/** The keys that sign access tokens. */
@Controller('admin/v1/signing-keys')
export class PlatformSigningKeysController {
  constructor(@Inject(PlatformSigningKeysService) private readonly keys: PlatformSigningKeysService) {}

  @Get()
  @RequirePermission('platform.signing_keys.read')
  @Contract(listSigningKeys)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { query }: InputOf<typeof listSigningKeys>,
  ): Promise<AnswerOf<typeof listSigningKeys>> {
    return this.keys.list(caller, query);
  }

  @Post('rotation')
  @RequirePermission('platform.signing_keys.write')
  @Contract(rotateSigningKey)
  rotate(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { body }: InputOf<typeof rotateSigningKey>,
  ): Promise<AnswerOf<typeof rotateSigningKey>> {
    return this.keys.rotate(caller, body.reason);
  }

  @Post(':kid/retirement')
  @RequirePermission('platform.signing_keys.write')
  @Contract(retireSigningKey)
  retire(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof retireSigningKey>,
  ): Promise<AnswerOf<typeof retireSigningKey>> {
    return this.keys.retire(caller, params.kid, body.reason);
  }
}
