import { Module } from '@nestjs/common';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformEgressController } from './platform-egress.controller.js';
import { PlatformEgressRepository } from './platform-egress.repository.js';
import { PlatformEgressService } from './platform-egress.service.js';

/** Private addresses that a tenant's tools may call. */
@Module({
  imports: [PlatformTenantsModule],
  controllers: [PlatformEgressController],
  providers: [PlatformEgressService, PlatformEgressRepository],
})
export class PlatformEgressModule {}
