import { Module } from '@nestjs/common';
import { ActionsController } from './actions.controller.js';
import { ActionsRepository } from './actions.repository.js';
import { ActionsService } from './actions.service.js';

/** What operators did. */
@Module({ controllers: [ActionsController], providers: [ActionsService, ActionsRepository] })
export class OperatorsModule {}
