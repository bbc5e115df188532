import { Module } from '@nestjs/common';
import { AuditQueryModule } from '../audit-query/audit-query.module.js';
import { PoliciesModule } from '../policies/policies.module.js';
import { PolicyTrialsController } from './policy-trials.controller.js';
import { PolicyTrialsService } from './policy-trials.service.js';
import { RecordedCallsRepository } from './recorded-calls.repository.js';

/** Rules tried on calls of the past. */
@Module({
  imports: [AuditQueryModule, PoliciesModule],
  controllers: [PolicyTrialsController],
  providers: [PolicyTrialsService, RecordedCallsRepository],
})
export class PolicyTrialsModule {}
