import { Module } from '@nestjs/common';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformLimitsController } from './platform-limits.controller.js';
import { PlatformLimitsRepository } from './platform-limits.repository.js';
import { PlatformLimitsService } from './platform-limits.service.js';

/** Limits of single tenants in place of their plans'. */
@Module({
  imports: [PlatformTenantsModule],
  controllers: [PlatformLimitsController],
  providers: [PlatformLimitsService, PlatformLimitsRepository],
})
export class PlatformLimitsModule {}
