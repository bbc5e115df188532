import { Module } from '@nestjs/common';
import { MembersModule } from '../members/members.module.js';
import { SignupModule } from '../signup/signup.module.js';
import { AcceptanceController } from './acceptance.controller.js';
import { AcceptanceService } from './acceptance.service.js';
import { InvitationsController } from './invitations.controller.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvitationsService } from './invitations.service.js';

/** People are invited by mail and become members. */
@Module({
  imports: [MembersModule, SignupModule],
  controllers: [InvitationsController, AcceptanceController],
  providers: [InvitationsService, AcceptanceService, InvitationsRepository],
  exports: [InvitationsService],
})
export class InvitationsModule {}
