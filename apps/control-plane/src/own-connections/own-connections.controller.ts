import { Controller, Delete, Get, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { endOwn, listOwn, startOwn } from './own-connections.schema.js';
import { OwnConnectionsService } from './own-connections.service.js';

/** The caller's own logins at upstreams. */
@Controller('v1/me/connections')
export class OwnConnectionsController {
  constructor(@Inject(OwnConnectionsService) private readonly own: OwnConnectionsService) {}

  @Get()
  @RequirePermission('connections.own')
  @Contract(listOwn)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listOwn>,
  ): Promise<AnswerOf<typeof listOwn>> {
    return this.own.list(caller, query);
  }

  @Post()
  @RequirePermission('connections.own')
  @Contract(startOwn)
  start(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof startOwn>,
  ): Promise<AnswerOf<typeof startOwn>> {
    return this.own.start(caller, body);
  }

  @Delete(':connector')
  @RequirePermission('connections.own')
  @Contract(endOwn)
  end(@TenantCalling() caller: TenantCaller, @Input() { params }: InputOf<typeof endOwn>): Promise<void> {
    return this.own.end(caller, params.connector);
  }
}
