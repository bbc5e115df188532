import { Module } from '@nestjs/common';
import { AuditQueryRepository } from '../audit-query/audit-query.repository.js';
import { AuditArchivesService } from './audit-archives.service.js';
import { AuditExportController } from './audit-export.controller.js';
import { AuditExportService } from './audit-export.service.js';

/** Exporting and following the audit log. */
@Module({
  controllers: [AuditExportController],
  providers: [AuditExportService, AuditArchivesService, AuditQueryRepository],
})
export class AuditExportModule {}
