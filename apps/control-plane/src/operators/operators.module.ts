import { Module } from '@nestjs/common';
import { ActionsController } from './actions.controller.js';
import { ActionsRepository } from './actions.repository.js';
import { ActionsService } from './actions.service.js';
import { PlatformLogService } from './platform-log.service.js';

/** What operators did. */
@Module({ controllers: [ActionsController], providers: [ActionsService, PlatformLogService, ActionsRepository] })
export class OperatorsModule {}
