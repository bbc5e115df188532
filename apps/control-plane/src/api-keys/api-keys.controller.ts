import { Controller, Delete, Get, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { createApiKey, listApiKeys, revokeApiKey, rotateApiKey } from './api-keys.schema.js';
import { ApiKeysService } from './api-keys.service.js';

/** The tenant's API keys. */
@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(@Inject(ApiKeysService) private readonly keys: ApiKeysService) {}

  @Get()
  @RequirePermission('api_keys.read')
  @Contract(listApiKeys)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listApiKeys>,
  ): Promise<AnswerOf<typeof listApiKeys>> {
    return this.keys.list(caller, query);
  }

  @Post()
  @RequirePermission('api_keys.write')
  @Contract(createApiKey)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof createApiKey>,
  ): Promise<AnswerOf<typeof createApiKey>> {
    return this.keys.create(caller, body);
  }

  @Post(':id/rotation')
  @RequirePermission('api_keys.write')
  @Contract(rotateApiKey)
  rotate(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof rotateApiKey>,
  ): Promise<AnswerOf<typeof rotateApiKey>> {
    return this.keys.rotate(caller, input);
  }

  @Delete(':id')
  @RequirePermission('api_keys.write')
  @Contract(revokeApiKey)
  revoke(@TenantCalling() caller: TenantCaller, @Input() { params }: InputOf<typeof revokeApiKey>): Promise<void> {
    return this.keys.revoke(caller, params.id);
  }
}
