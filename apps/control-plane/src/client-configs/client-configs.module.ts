import { Module } from '@nestjs/common';
import { ClientConfigsController } from './client-configs.controller.js';
import { ClientConfigsService } from './client-configs.service.js';

/** How agents are told of a tenant's URLs. */
@Module({ controllers: [ClientConfigsController], providers: [ClientConfigsService] })
export class ClientConfigsModule {}
