import { Controller, Get, Inject } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listProfileAttempts } from './connect-attempts.schema.js';
import { ConnectAttemptsService } from './connect-attempts.service.js';

/** How agents fared that tried to connect to a profile. */
@Controller('v1/profiles/:profile/connect-attempts')
export class ProfileAttemptsController {
  constructor(@Inject(ConnectAttemptsService) private readonly attempts: ConnectAttemptsService) {}

  @Get()
  @RequirePermission('servers.read')
  @Contract(listProfileAttempts)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof listProfileAttempts>,
  ): Promise<AnswerOf<typeof listProfileAttempts>> {
    return this.attempts.listOfProfile(caller, params.profile);
  }
}
