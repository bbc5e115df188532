import { Controller, Delete, Get, Inject, Put } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { deleteConnector, getConnector, listConnections, listConnectors, writeConnector } from './connectors.schema.js';
import { ConnectorsService } from './connectors.service.js';

/** Where the tenant's people log in at upstreams. */
@Controller('v1/connectors')
export class ConnectorsController {
  constructor(@Inject(ConnectorsService) private readonly connectors: ConnectorsService) {}

  @Get()
  @RequirePermission('connectors.read')
  @Contract(listConnectors)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listConnectors>,
  ): Promise<AnswerOf<typeof listConnectors>> {
    return this.connectors.list(caller, query);
  }

  @Get(':connector')
  @RequirePermission('connectors.read')
  @Contract(getConnector)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getConnector>,
  ): Promise<AnswerOf<typeof getConnector>> {
    return this.connectors.get(caller, params.connector);
  }

  @Put(':connector')
  @RequirePermission('connectors.write')
  @Contract(writeConnector)
  write(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof writeConnector>,
  ): Promise<AnswerOf<typeof writeConnector>> {
    return this.connectors.write(caller, input);
  }

  @Delete(':connector')
  @RequirePermission('connectors.write')
  @Contract(deleteConnector)
  remove(@TenantCalling() caller: TenantCaller, @Input() input: InputOf<typeof deleteConnector>): Promise<void> {
    return this.connectors.remove(caller, input);
  }

  @Get(':connector/connections')
  @RequirePermission('connections.read')
  @Contract(listConnections)
  listConnections(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof listConnections>,
  ): Promise<AnswerOf<typeof listConnections>> {
    return this.connectors.listConnections(caller, input);
  }
}
