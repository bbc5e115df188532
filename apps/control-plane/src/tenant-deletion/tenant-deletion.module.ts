import { Module } from '@nestjs/common';
import { TenantDeletionController } from './tenant-deletion.controller.js';
import { TenantDeletionRepository } from './tenant-deletion.repository.js';
import { TenantDeletionService } from './tenant-deletion.service.js';

/** Deleting a tenant, and taking that back. */
@Module({
  controllers: [TenantDeletionController],
  providers: [TenantDeletionService, TenantDeletionRepository],
  exports: [TenantDeletionRepository],
})
export class TenantDeletionModule {}
