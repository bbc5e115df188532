import { Module } from '@nestjs/common';
import { MetricsSummaryRepository } from '../metrics-summary/metrics-summary.repository.js';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { UsageRepository } from '../usage/usage.repository.js';
import { PlatformHealthController } from './platform-health.controller.js';
import { PlatformHealthService } from './platform-health.service.js';

/** What tenants use and how they are doing. */
@Module({
  imports: [PlatformTenantsModule],
  controllers: [PlatformHealthController],
  providers: [PlatformHealthService, UsageRepository, MetricsSummaryRepository],
})
export class PlatformHealthModule {}
