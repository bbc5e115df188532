import { Controller, Delete, Get, Inject, Patch, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { changeServer, createServer, deleteServer, getServer, listServers } from './servers.schema.js';
import { ServersService } from './servers.service.js';

/** The tenant's MCP servers. */
@Controller('v1/servers')
export class ServersController {
  constructor(@Inject(ServersService) private readonly servers: ServersService) {}

  @Get()
  @RequirePermission('servers.read')
  @Contract(listServers)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listServers>,
  ): Promise<AnswerOf<typeof listServers>> {
    return this.servers.list(caller, query);
  }

  @Post()
  @RequirePermission('servers.write')
  @Contract(createServer)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof createServer>,
  ): Promise<AnswerOf<typeof createServer>> {
    return this.servers.create(caller, body);
  }

  @Get(':server')
  @RequirePermission('servers.read')
  @Contract(getServer)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getServer>,
  ): Promise<AnswerOf<typeof getServer>> {
    return this.servers.get(caller, params.server);
  }

  @Patch(':server')
  @RequirePermission('servers.write')
  @Contract(changeServer)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeServer>,
  ): Promise<AnswerOf<typeof changeServer>> {
    return this.servers.change(caller, input.params.server, input);
  }

  @Delete(':server')
  @RequirePermission('servers.write')
  @Contract(deleteServer)
  remove(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, precondition }: InputOf<typeof deleteServer>,
  ): Promise<void> {
    return this.servers.remove(caller, params.server, precondition);
  }
}
