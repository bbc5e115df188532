import { Module } from '@nestjs/common';
import { OperatorOrdersModule } from '../operator-orders/operator-orders.module.js';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformSessionsController } from './platform-sessions.controller.js';
import { PlatformSessionsService } from './platform-sessions.service.js';

/** Operators' work on tenants’ sessions. */
@Module({
  imports: [PlatformTenantsModule, OperatorOrdersModule],
  controllers: [PlatformSessionsController],
  providers: [PlatformSessionsService],
})
export class PlatformSessionsModule {}
