import { Controller, Delete, Get, Inject } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { endSession, listSessions } from './platform-sessions.schema.js';
import { PlatformSessionsService } from './platform-sessions.service.js';

/** Operators' work on tenants' sessions. */
@Controller('admin/v1/tenants/:tenant/sessions')
export class PlatformSessionsController {
  constructor(@Inject(PlatformSessionsService) private readonly sessions: PlatformSessionsService) {}

  @Get()
  @RequirePermission('platform.sessions.read')
  @Contract(listSessions)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof listSessions>,
  ): Promise<AnswerOf<typeof listSessions>> {
    return this.sessions.list(caller, input);
  }

  @Delete(':session')
  @RequirePermission('platform.sessions.write')
  @Contract(endSession)
  end(@OperatorCalling() caller: OperatorCaller, @Input() input: InputOf<typeof endSession>): Promise<void> {
    return this.sessions.end(caller, input);
  }
}
