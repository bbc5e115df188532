import { Module } from '@nestjs/common';
import { AuditQueryRepository } from '../audit-query/audit-query.repository.js';
import { AuditExportController } from './audit-export.controller.js';
import { AuditExportService } from './audit-export.service.js';

/** Exporting and following the audit log. */
@Module({ controllers: [AuditExportController], providers: [AuditExportService, AuditQueryRepository] })
export class AuditExportModule {}
