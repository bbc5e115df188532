import { Module } from '@nestjs/common';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformHomesController } from './platform-homes.controller.js';
import { PlatformHomesRepository } from './platform-homes.repository.js';
import { PlatformHomesService } from './platform-homes.service.js';

/** Operators' work on which databases tenants are at home in. */
@Module({
  imports: [PlatformTenantsModule],
  controllers: [PlatformHomesController],
  providers: [PlatformHomesService, PlatformHomesRepository],
})
export class PlatformHomesModule {}
