import { Module } from '@nestjs/common';
import { AuditQueryController } from './audit-query.controller.js';
import { AuditQueryRepository } from './audit-query.repository.js';
import { AuditQueryService } from './audit-query.service.js';

/** Reading the audit log. */
@Module({
  controllers: [AuditQueryController],
  providers: [AuditQueryService, AuditQueryRepository],
  exports: [AuditQueryRepository],
})
export class AuditQueryModule {}
