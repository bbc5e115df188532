import { Controller, Get, Inject } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listUpstreams } from './upstreams.schema.js';
import { UpstreamsService } from './upstreams.service.js';

/** How the upstreams of a server are doing. */
@Controller('v1/servers/:server/upstreams')
export class UpstreamsController {
  constructor(@Inject(UpstreamsService) private readonly upstreams: UpstreamsService) {}

  @Get()
  @RequirePermission('servers.read')
  @Contract(listUpstreams)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof listUpstreams>,
  ): Promise<AnswerOf<typeof listUpstreams>> {
    return this.upstreams.list(caller, input);
  }
}
