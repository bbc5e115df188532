import { Module } from '@nestjs/common';
import { CallerLogins } from './caller-logins.js';
import { OwnConnectionsController } from './own-connections.controller.js';
import { OwnConnectionsService } from './own-connections.service.js';

/** People's own logins at upstreams. */
@Module({
  controllers: [OwnConnectionsController],
  providers: [OwnConnectionsService, CallerLogins],
  exports: [CallerLogins],
})
export class OwnConnectionsModule {}
