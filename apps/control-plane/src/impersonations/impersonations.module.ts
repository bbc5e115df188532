import { Module } from '@nestjs/common';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { ImpersonationsController } from './impersonations.controller.js';
import { ImpersonationsRepository } from './impersonations.repository.js';
import { ImpersonationsService } from './impersonations.service.js';

/** Operators' looks at tenants through their own API. */
@Module({
  imports: [PlatformTenantsModule],
  controllers: [ImpersonationsController],
  providers: [ImpersonationsService, ImpersonationsRepository],
})
export class ImpersonationsModule {}
