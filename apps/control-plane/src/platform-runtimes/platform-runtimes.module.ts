import { Module } from '@nestjs/common';
import { OperatorOrdersModule } from '../operator-orders/operator-orders.module.js';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformRuntimesController } from './platform-runtimes.controller.js';
import { PlatformRuntimesService } from './platform-runtimes.service.js';

/** Operators' work on worker-runtimes. */
@Module({
  imports: [PlatformTenantsModule, OperatorOrdersModule],
  controllers: [PlatformRuntimesController],
  providers: [PlatformRuntimesService],
})
export class PlatformRuntimesModule {}
