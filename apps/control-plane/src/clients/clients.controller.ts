import { Controller, Delete, Get, Inject, Patch, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { changeClient, createClient, deleteClient, getClient, listClients, rotateSecret } from './clients.schema.js';
import { ClientsService } from './clients.service.js';

/** The OAuth clients that the tenant registered. */
@Controller('v1/clients')
export class ClientsController {
  constructor(@Inject(ClientsService) private readonly clients: ClientsService) {}

  @Get()
  @RequirePermission('clients.read')
  @Contract(listClients)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listClients>,
  ): Promise<AnswerOf<typeof listClients>> {
    return this.clients.list(caller, query);
  }

  @Post()
  @RequirePermission('clients.write')
  @Contract(createClient)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof createClient>,
  ): Promise<AnswerOf<typeof createClient>> {
    return this.clients.create(caller, body);
  }

  @Get(':client')
  @RequirePermission('clients.read')
  @Contract(getClient)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getClient>,
  ): Promise<AnswerOf<typeof getClient>> {
    return this.clients.get(caller, params.client);
  }

  @Patch(':client')
  @RequirePermission('clients.write')
  @Contract(changeClient)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeClient>,
  ): Promise<AnswerOf<typeof changeClient>> {
    return this.clients.change(caller, input.params.client, input);
  }

  @Post(':client/secret')
  @RequirePermission('clients.write')
  @Contract(rotateSecret)
  rotateSecret(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof rotateSecret>,
  ): Promise<AnswerOf<typeof rotateSecret>> {
    return this.clients.rotateSecret(caller, params.client, body);
  }

  @Delete(':client')
  @RequirePermission('clients.write')
  @Contract(deleteClient)
  remove(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, precondition }: InputOf<typeof deleteClient>,
  ): Promise<void> {
    return this.clients.remove(caller, params.client, precondition);
  }
}
