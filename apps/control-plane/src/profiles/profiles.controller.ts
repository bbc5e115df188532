import { Controller, Delete, Get, Inject, Patch, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  changeProfile,
  createProfile,
  deleteProfile,
  getProfile,
  listProfiles,
  listProfileTools,
} from './profiles.schema.js';
import { ProfilesService } from './profiles.service.js';

/** The tenant's profiles. */
@Controller('v1/profiles')
export class ProfilesController {
  constructor(@Inject(ProfilesService) private readonly profiles: ProfilesService) {}

  @Post()
  @RequirePermission('servers.write')
  @Contract(createProfile)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof createProfile>,
  ): Promise<AnswerOf<typeof createProfile>> {
    return this.profiles.create(caller, body);
  }

  @Get()
  @RequirePermission('servers.read')
  @Contract(listProfiles)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listProfiles>,
  ): Promise<AnswerOf<typeof listProfiles>> {
    return this.profiles.list(caller, query);
  }

  @Get(':profile')
  @RequirePermission('servers.read')
  @Contract(getProfile)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getProfile>,
  ): Promise<AnswerOf<typeof getProfile>> {
    return this.profiles.get(caller, params.profile);
  }

  @Get(':profile/tools')
  @RequirePermission('servers.read')
  @Contract(listProfileTools)
  tools(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof listProfileTools>,
  ): Promise<AnswerOf<typeof listProfileTools>> {
    return this.profiles.tools(caller, input);
  }

  @Patch(':profile')
  @RequirePermission('servers.write')
  @Contract(changeProfile)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeProfile>,
  ): Promise<AnswerOf<typeof changeProfile>> {
    return this.profiles.change(caller, input);
  }

  @Delete(':profile')
  @RequirePermission('servers.write')
  @Contract(deleteProfile)
  remove(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, precondition }: InputOf<typeof deleteProfile>,
  ): Promise<void> {
    return this.profiles.remove(caller, params.profile, precondition);
  }
}
