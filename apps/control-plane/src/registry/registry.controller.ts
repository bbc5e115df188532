import { Controller, Get, Inject, UseGuards } from '@nestjs/common';
import { Public } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { RegistryLimits } from './registry-limits.guard.js';
import { getVersion, getVersionOf, listPublic, listPublicOf, listVersions, listVersionsOf } from './registry.schema.js';
import { RegistryService } from './registry.service.js';

const REASON = 'what tenants have made public, for catalogues; requests are limited for each network';

/** The public MCP registry: of all tenants, and of one. */
@Controller()
@UseGuards(RegistryLimits)
export class RegistryController {
  constructor(@Inject(RegistryService) private readonly registry: RegistryService) {}

  @Get('v0/servers')
  @Public(REASON)
  @Contract(listPublic)
  list(@Input() { query }: InputOf<typeof listPublic>): Promise<AnswerOf<typeof listPublic>> {
    return this.registry.listPublic(query);
  }

  @Get('v0/servers/:name/versions')
  @Public(REASON)
  @Contract(listVersions)
  versions(@Input() { params }: InputOf<typeof listVersions>): Promise<AnswerOf<typeof listVersions>> {
    return this.registry.versions(params.name);
  }

  @Get('v0/servers/:name/versions/:version')
  @Public(REASON)
  @Contract(getVersion)
  version(@Input() { params }: InputOf<typeof getVersion>): Promise<AnswerOf<typeof getVersion>> {
    return this.registry.version(params.name, params.version);
  }

  @Get('registry/:tenant/v0/servers')
  @Public(REASON)
  @Contract(listPublicOf)
  listOf(@Input() { params, query }: InputOf<typeof listPublicOf>): Promise<AnswerOf<typeof listPublicOf>> {
    return this.registry.listPublic(query, params.tenant);
  }

  @Get('registry/:tenant/v0/servers/:name/versions')
  @Public(REASON)
  @Contract(listVersionsOf)
  versionsOf(@Input() { params }: InputOf<typeof listVersionsOf>): Promise<AnswerOf<typeof listVersionsOf>> {
    return this.registry.versions(params.name, params.tenant);
  }

  @Get('registry/:tenant/v0/servers/:name/versions/:version')
  @Public(REASON)
  @Contract(getVersionOf)
  versionOf(@Input() { params }: InputOf<typeof getVersionOf>): Promise<AnswerOf<typeof getVersionOf>> {
    return this.registry.version(params.name, params.version, params.tenant);
  }
}
