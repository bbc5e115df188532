import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { EnvironmentsController } from './environments.controller.js';
import { EnvironmentsRepository } from './environments.repository.js';
import { EnvironmentsService } from './environments.service.js';

/** Environments of servers. */
@Module({
  imports: [ServersModule],
  controllers: [EnvironmentsController],
  providers: [EnvironmentsService, EnvironmentsRepository],
  exports: [EnvironmentsRepository],
})
export class EnvironmentsModule {}
