import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { ServerMajorsController } from './server-majors.controller.js';
import { ServerMajorsRepository } from './server-majors.repository.js';
import { ServerMajorsService } from './server-majors.service.js';

/** Older major versions of servers, and until when they are served. */
@Module({
  imports: [ServersModule],
  controllers: [ServerMajorsController],
  providers: [ServerMajorsService, ServerMajorsRepository],
})
export class ServerMajorsModule {}
