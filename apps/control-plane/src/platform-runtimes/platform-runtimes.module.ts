import { Module } from '@nestjs/common';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformRuntimesController } from './platform-runtimes.controller.js';
import { PlatformRuntimesService } from './platform-runtimes.service.js';

/** Operators' work on worker-runtimes. */
@Module({
  imports: [PlatformTenantsModule],
  controllers: [PlatformRuntimesController],
  providers: [PlatformRuntimesService],
})
export class PlatformRuntimesModule {}
