import { Module } from '@nestjs/common';
import { MaintenanceWatch } from './maintenance-watch.js';
import { MaintenanceController } from './maintenance.controller.js';
import { MaintenanceRepository } from './maintenance.repository.js';
import { MaintenanceService } from './maintenance.service.js';

/** The platform's maintenance. */
@Module({
  controllers: [MaintenanceController],
  providers: [MaintenanceService, MaintenanceWatch, MaintenanceRepository],
  exports: [MaintenanceWatch],
})
export class MaintenanceModule {}
