import { Module } from '@nestjs/common';
import { FeatureFlagsModule } from '../feature-flags/feature-flags.module.js';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformFeatureFlagsController } from './platform-feature-flags.controller.js';
import { PlatformFeatureFlagsRepository } from './platform-feature-flags.repository.js';
import { PlatformFeatureFlagsService } from './platform-feature-flags.service.js';

/** Feature flags as operators set them. */
@Module({
  imports: [PlatformTenantsModule, FeatureFlagsModule],
  controllers: [PlatformFeatureFlagsController],
  providers: [PlatformFeatureFlagsService, PlatformFeatureFlagsRepository],
})
export class PlatformFeatureFlagsModule {}
