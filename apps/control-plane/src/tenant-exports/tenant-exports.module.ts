import { Module } from '@nestjs/common';
import { OperatorOrdersModule } from '../operator-orders/operator-orders.module.js';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformExportsController } from './platform-exports.controller.js';
import { PlatformExportsService } from './platform-exports.service.js';
import { TenantExportsController } from './tenant-exports.controller.js';
import { TenantExportsRepository } from './tenant-exports.repository.js';
import { TenantExportsService } from './tenant-exports.service.js';

/** Archives of whole tenants. */
@Module({
  imports: [PlatformTenantsModule, OperatorOrdersModule],
  controllers: [TenantExportsController, PlatformExportsController],
  providers: [TenantExportsService, PlatformExportsService, TenantExportsRepository],
})
export class TenantExportsModule {}
