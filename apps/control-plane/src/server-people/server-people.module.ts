import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { ServerPeopleController } from './server-people.controller.js';
import { ServerPeopleRepository } from './server-people.repository.js';
import { ServerPeopleService } from './server-people.service.js';

/** Which people may connect which server. */
@Module({
  imports: [ServersModule],
  controllers: [ServerPeopleController],
  providers: [ServerPeopleService, ServerPeopleRepository],
})
export class ServerPeopleModule {}
