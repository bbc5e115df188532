import { Controller, Get, Header, Inject } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listConnectAttempts, reportConnectAttempts } from './connect-attempts.schema.js';
import { ConnectAttemptsService } from './connect-attempts.service.js';

/** How agents fared that tried to connect to a server. */
@Controller('v1/servers/:server/connect-attempts')
export class ConnectAttemptsController {
  constructor(@Inject(ConnectAttemptsService) private readonly attempts: ConnectAttemptsService) {}

  @Get()
  @RequirePermission('servers.read')
  @Contract(listConnectAttempts)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof listConnectAttempts>,
  ): Promise<AnswerOf<typeof listConnectAttempts>> {
    return this.attempts.list(caller, params.server);
  }

  @Get('report')
  @RequirePermission('servers.read')
  @Contract(reportConnectAttempts)
  @Header('content-type', 'text/plain; charset=utf-8')
  report(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof reportConnectAttempts>,
  ): Promise<string> {
    return this.attempts.report(caller, params.server);
  }
}
