import { Module } from '@nestjs/common';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformHoldsController } from './platform-holds.controller.js';
import { PlatformHoldsRepository } from './platform-holds.repository.js';
import { PlatformHoldsService } from './platform-holds.service.js';

/** Legal holds of tenants. */
@Module({
  imports: [PlatformTenantsModule],
  controllers: [PlatformHoldsController],
  providers: [PlatformHoldsService, PlatformHoldsRepository],
})
export class PlatformHoldsModule {}
