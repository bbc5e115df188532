import { Module } from '@nestjs/common';
import { ApprovalsController } from './approvals.controller.js';
import { ApprovalsRepository } from './approvals.repository.js';
import { ApprovalsService } from './approvals.service.js';

/** Calls that wait for a person. */
@Module({ controllers: [ApprovalsController], providers: [ApprovalsService, ApprovalsRepository] })
export class ApprovalsModule {}
