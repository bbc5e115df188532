import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { OperatorAccountsModule } from '../operator-accounts/operator-accounts.module.js';
import { OperatorOwnModule } from '../operator-own/operator-own.module.js';
import { SignupModule } from '../signup/signup.module.js';
import { EnrolmentService } from './enrolment.service.js';
import { OperatorAttemptsRepository } from './operator-attempts.repository.js';
import { OperatorSignInController } from './operator-sign-in.controller.js';
import { OperatorSignInRepository } from './operator-sign-in.repository.js';
import { OperatorSignInService } from './operator-sign-in.service.js';

/** Where operators come in. */
@Module({
  imports: [AccessModule, SignupModule, OperatorAccountsModule, OperatorOwnModule],
  controllers: [OperatorSignInController],
  providers: [OperatorSignInService, EnrolmentService, OperatorSignInRepository, OperatorAttemptsRepository],
  exports: [OperatorSignInRepository],
})
export class OperatorSignInModule {}
