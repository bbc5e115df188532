import { Module } from '@nestjs/common';
import { ImportedAuditController } from './imported-audit.controller.js';
import { ImportedAuditService } from './imported-audit.service.js';

/** The audit logs that came along with an imported tenant. */
@Module({ controllers: [ImportedAuditController], providers: [ImportedAuditService] })
export class ImportedAuditModule {}
