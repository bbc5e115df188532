import { Controller, Get, Inject, Patch, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { changeEnvironment, createEnvironment, getEnvironment, listEnvironments } from './environments.schema.js';
import { EnvironmentsService } from './environments.service.js';

/** Environments of a server. */
@Controller('v1/servers/:server/environments')
export class EnvironmentsController {
  constructor(@Inject(EnvironmentsService) private readonly environments: EnvironmentsService) {}

  @Get()
  @RequirePermission('servers.read')
  @Contract(listEnvironments)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof listEnvironments>,
  ): Promise<AnswerOf<typeof listEnvironments>> {
    return this.environments.list(caller, input);
  }

  @Post()
  @RequirePermission('servers.write')
  @Contract(createEnvironment)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof createEnvironment>,
  ): Promise<AnswerOf<typeof createEnvironment>> {
    return this.environments.create(caller, params.server, body.environment);
  }

  @Get(':environment')
  @RequirePermission('servers.read')
  @Contract(getEnvironment)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getEnvironment>,
  ): Promise<AnswerOf<typeof getEnvironment>> {
    return this.environments.get(caller, params);
  }

  @Patch(':environment')
  @RequirePermission('servers.write')
  @Contract(changeEnvironment)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeEnvironment>,
  ): Promise<AnswerOf<typeof changeEnvironment>> {
    return this.environments.change(caller, input);
  }
}
