import { Controller, Get, Inject } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listClientConfigs } from './client-configs.schema.js';
import { ClientConfigsService } from './client-configs.service.js';

/** What tenants give to people who connect agents. */
@Controller('v1/client-configs')
export class ClientConfigsController {
  constructor(@Inject(ClientConfigsService) private readonly configs: ClientConfigsService) {}

  @Get()
  @RequirePermission('servers.read')
  @Contract(listClientConfigs)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listClientConfigs>,
  ): Promise<AnswerOf<typeof listClientConfigs>> {
    return this.configs.list(caller, query);
  }
}
