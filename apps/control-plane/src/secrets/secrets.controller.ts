import { Controller, Delete, Get, Inject, Post, Put } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  deleteSecret,
  deleteVersion,
  getSecret,
  listSecrets,
  listVersions,
  restoreVersion,
  writeSecret,
} from './secrets.schema.js';
import { SecretVersionsService } from './secret-versions.service.js';
import { SecretsService } from './secrets.service.js';

/** The tenant's secrets, write-only. */
@Controller('v1/secrets')
export class SecretsController {
  constructor(
    @Inject(SecretsService) private readonly secrets: SecretsService,
    @Inject(SecretVersionsService) private readonly versions: SecretVersionsService,
  ) {}

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

  @Get(':name/versions')
  @RequirePermission('secrets.read')
  @Contract(listVersions)
  listVersions(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof listVersions>,
  ): Promise<AnswerOf<typeof listVersions>> {
    return this.versions.list(caller, input);
  }

  @Post(':name/versions/:version/restore')
  @RequirePermission('secrets.write')
  @Contract(restoreVersion)
  restoreVersion(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof restoreVersion>,
  ): Promise<AnswerOf<typeof restoreVersion>> {
    return this.versions.restore(caller, input);
  }

  @Delete(':name/versions/:version')
  @RequirePermission('secrets.write')
  @Contract(deleteVersion)
  removeVersion(@TenantCalling() caller: TenantCaller, @Input() input: InputOf<typeof deleteVersion>): Promise<void> {
    return this.versions.remove(caller, input);
  }
}
