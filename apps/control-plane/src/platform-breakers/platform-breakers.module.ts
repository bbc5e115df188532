import { Module } from '@nestjs/common';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformBreakersController } from './platform-breakers.controller.js';
import { PlatformBreakersRepository } from './platform-breakers.repository.js';
import { PlatformBreakersService } from './platform-breakers.service.js';

/** Operators' work on upstreams’ breakers. */
@Module({
  imports: [PlatformTenantsModule],
  controllers: [PlatformBreakersController],
  providers: [PlatformBreakersService, PlatformBreakersRepository],
})
export class PlatformBreakersModule {}
