import { Controller, Delete, Get, Inject, Put } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { RegistryEntriesService } from './registry-entries.service.js';
import { deleteEntry, getEntry, getOwnVersion, listOwn, listOwnVersions, putEntry } from './registry.schema.js';
import { RegistryService } from './registry.service.js';

/** A tenant's own view of the registry. */
@Controller('v1')
export class RegistryEntriesController {
  constructor(
    @Inject(RegistryEntriesService) private readonly entries: RegistryEntriesService,
    @Inject(RegistryService) private readonly registry: RegistryService,
  ) {}

  @Get('registry/v0/servers')
  @RequirePermission('servers.read')
  @Contract(listOwn)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listOwn>,
  ): Promise<AnswerOf<typeof listOwn>> {
    return this.registry.listOwn(caller, query);
  }

  @Get('registry/v0/servers/:name/versions')
  @RequirePermission('servers.read')
  @Contract(listOwnVersions)
  versions(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof listOwnVersions>,
  ): Promise<AnswerOf<typeof listOwnVersions>> {
    return this.registry.ownVersions(caller, params.name);
  }

  @Get('registry/v0/servers/:name/versions/:version')
  @RequirePermission('servers.read')
  @Contract(getOwnVersion)
  version(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getOwnVersion>,
  ): Promise<AnswerOf<typeof getOwnVersion>> {
    return this.registry.ownVersion(caller, params.name, params.version);
  }

  @Get('servers/:server/registry-entry')
  @RequirePermission('servers.read')
  @Contract(getEntry)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof getEntry>,
  ): Promise<AnswerOf<typeof getEntry>> {
    return this.entries.get(caller, input);
  }

  @Put('servers/:server/registry-entry')
  @RequirePermission('servers.write')
  @Contract(putEntry)
  put(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof putEntry>,
  ): Promise<AnswerOf<typeof putEntry>> {
    return this.entries.put(caller, input);
  }

  @Delete('servers/:server/registry-entry')
  @RequirePermission('servers.write')
  @Contract(deleteEntry)
  remove(@TenantCalling() caller: TenantCaller, @Input() input: InputOf<typeof deleteEntry>): Promise<void> {
    return this.entries.remove(caller, input);
  }
}
