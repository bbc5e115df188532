import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { ReleaseSchedulesController } from './release-schedules.controller.js';
import { ReleaseSchedulesService } from './release-schedules.service.js';

/** When the releases of servers may go out. */
@Module({
  imports: [ServersModule],
  controllers: [ReleaseSchedulesController],
  providers: [ReleaseSchedulesService],
})
export class ReleaseSchedulesModule {}
