import { Module } from '@nestjs/common';
import { CallLimitsController } from './call-limits.controller.js';
import { CallLimitsRepository } from './call-limits.repository.js';
import { CallLimitsService } from './call-limits.service.js';

/** How often a tenant lets its tools be called. */
@Module({ controllers: [CallLimitsController], providers: [CallLimitsService, CallLimitsRepository] })
export class CallLimitsModule {}
