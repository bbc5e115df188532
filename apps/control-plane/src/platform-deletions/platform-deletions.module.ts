import { Module } from '@nestjs/common';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { TenantDeletionModule } from '../tenant-deletion/tenant-deletion.module.js';
import { PlatformDeletionsController } from './platform-deletions.controller.js';
import { PlatformDeletionsRepository } from './platform-deletions.repository.js';
import { PlatformDeletionsService } from './platform-deletions.service.js';

/** Operators' work on the life cycle of tenants. */
@Module({
  imports: [PlatformTenantsModule, TenantDeletionModule],
  controllers: [PlatformDeletionsController],
  providers: [PlatformDeletionsService, PlatformDeletionsRepository],
})
export class PlatformDeletionsModule {}
