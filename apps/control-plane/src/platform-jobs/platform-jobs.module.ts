import { Module } from '@nestjs/common';
import { OperatorOrdersModule } from '../operator-orders/operator-orders.module.js';
import { PlatformTenantsModule } from '../platform-tenants/platform-tenants.module.js';
import { PlatformJobsController } from './platform-jobs.controller.js';
import { PlatformJobsRepository } from './platform-jobs.repository.js';
import { PlatformJobsService } from './platform-jobs.service.js';
import { QueueSwitches } from './queue-switches.js';

/** Operators' work on jobs. */
@Module({
  imports: [PlatformTenantsModule, OperatorOrdersModule],
  controllers: [PlatformJobsController],
  providers: [PlatformJobsService, PlatformJobsRepository, QueueSwitches],
})
export class PlatformJobsModule {}
