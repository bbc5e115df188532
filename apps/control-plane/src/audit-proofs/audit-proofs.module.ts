import { Module } from '@nestjs/common';
import { AuditProofsController } from './audit-proofs.controller.js';
import { AuditProofsRepository } from './audit-proofs.repository.js';
import { AuditProofsService } from './audit-proofs.service.js';

/** Proving the audit log. */
@Module({ controllers: [AuditProofsController], providers: [AuditProofsService, AuditProofsRepository] })
export class AuditProofsModule {}
