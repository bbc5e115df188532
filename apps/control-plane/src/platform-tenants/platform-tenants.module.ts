import { Module } from '@nestjs/common';
import { PlatformTenantsController } from './platform-tenants.controller.js';
import { PlatformTenantsRepository } from './platform-tenants.repository.js';
import { PlatformTenantsService } from './platform-tenants.service.js';

/** Operators' work on tenants. */
@Module({
  controllers: [PlatformTenantsController],
  providers: [PlatformTenantsService, PlatformTenantsRepository],
  exports: [PlatformTenantsService, PlatformTenantsRepository],
})
export class PlatformTenantsModule {}
