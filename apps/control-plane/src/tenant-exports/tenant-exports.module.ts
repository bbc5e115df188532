import { Module } from '@nestjs/common';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformExportsController } from './platform-exports.controller.js';
import { TenantExportsController } from './tenant-exports.controller.js';
import { TenantExportsRepository } from './tenant-exports.repository.js';
import { TenantExportsService } from './tenant-exports.service.js';

/** Archives of whole tenants. */
@Module({
  imports: [PlatformTenantsModule],
  controllers: [TenantExportsController, PlatformExportsController],
  providers: [TenantExportsService, TenantExportsRepository],
})
export class TenantExportsModule {}
