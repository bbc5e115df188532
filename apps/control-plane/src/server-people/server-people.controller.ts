import { Controller, Get, Inject, Put } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { getServerPeople, putServerPeople } from './server-people.schema.js';
import { ServerPeopleService } from './server-people.service.js';

/** Who of the tenant's people may connect a server. */
@Controller('v1/servers/:server/people')
export class ServerPeopleController {
  constructor(@Inject(ServerPeopleService) private readonly people: ServerPeopleService) {}

  @Get()
  @RequirePermission('servers.people.read')
  @Contract(getServerPeople)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getServerPeople>,
  ): Promise<AnswerOf<typeof getServerPeople>> {
    return this.people.get(caller, params.server);
  }

  @Put()
  @RequirePermission('servers.people.write')
  @Contract(putServerPeople)
  put(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof putServerPeople>,
  ): Promise<AnswerOf<typeof putServerPeople>> {
    return this.people.put(caller, input);
  }
}
