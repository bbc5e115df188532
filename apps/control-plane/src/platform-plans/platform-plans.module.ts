import { Module } from '@nestjs/common';
import { PlatformPlansController } from './platform-plans.controller.js';
import { PlatformPlansRepository } from './platform-plans.repository.js';
import { PlatformPlansService } from './platform-plans.service.js';

/** The platform's plans. */
@Module({ controllers: [PlatformPlansController], providers: [PlatformPlansService, PlatformPlansRepository] })
export class PlatformPlansModule {}
