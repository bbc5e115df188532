import { Module } from '@nestjs/common';
import { OperatorOwnModule } from '../operator-own/operator-own.module.js';
import { OperatorAccountsController } from './operator-accounts.controller.js';
import { OperatorAccountsRepository } from './operator-accounts.repository.js';
import { OperatorAccountsService } from './operator-accounts.service.js';

/** Operators' accounts. */
@Module({
  imports: [OperatorOwnModule],
  controllers: [OperatorAccountsController],
  providers: [OperatorAccountsService, OperatorAccountsRepository],
  exports: [OperatorAccountsRepository],
})
export class OperatorAccountsModule {}
