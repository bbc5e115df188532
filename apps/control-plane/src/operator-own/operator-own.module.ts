import { Module } from '@nestjs/common';
import { OperatorCredentialsRepository } from './operator-credentials.repository.js';
import { OperatorOwnController } from './operator-own.controller.js';
import { OperatorOwnService } from './operator-own.service.js';

/** What an operator does about themselves. */
@Module({
  controllers: [OperatorOwnController],
  providers: [OperatorOwnService, OperatorCredentialsRepository],
  exports: [OperatorCredentialsRepository],
})
export class OperatorOwnModule {}
