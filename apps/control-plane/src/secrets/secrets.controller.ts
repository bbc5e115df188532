import { Controller, Delete, Get, Inject, Put } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { deleteSecret, getSecret, listSecrets, writeSecret } from './secrets.schema.js';
import { SecretsService } from './secrets.service.js';

/** The tenant's secrets, write-only. */
@Controller('v1/secrets')
export class SecretsController {
  constructor(@Inject(SecretsService) private readonly secrets: SecretsService) {}

  @Get()
  @RequirePermission('secrets.read')
  @Contract(listSecrets)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listSecrets>,
  ): Promise<AnswerOf<typeof listSecrets>> {
    return this.secrets.list(caller, query);
  }

  @Get(':name')
  @RequirePermission('secrets.read')
  @Contract(getSecret)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof getSecret>,
  ): Promise<AnswerOf<typeof getSecret>> {
    return this.secrets.get(caller, input);
  }

  @Put(':name')
  @RequirePermission('secrets.write')
  @Contract(writeSecret)
  write(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof writeSecret>,
  ): Promise<AnswerOf<typeof writeSecret>> {
    return this.secrets.write(caller, input);
  }

  @Delete(':name')
  @RequirePermission('secrets.write')
  @Contract(deleteSecret)
  remove(@TenantCalling() caller: TenantCaller, @Input() input: InputOf<typeof deleteSecret>): Promise<void> {
    return this.secrets.remove(caller, input);
  }
}
