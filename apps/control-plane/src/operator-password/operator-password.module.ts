import { Module } from '@nestjs/common';
import { OperatorSignInModule } from '../operator-sign-in/operator-sign-in.module.js';
import { SignupModule } from '../signup/signup.module.js';
import { OperatorPasswordController } from './operator-password.controller.js';
import { OperatorPasswordService } from './operator-password.service.js';

/** Operators' own passwords. */
@Module({
  imports: [OperatorSignInModule, SignupModule],
  controllers: [OperatorPasswordController],
  providers: [OperatorPasswordService],
})
export class OperatorPasswordModule {}
