import { Controller, Delete, Get, Inject, Put } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { beginMaintenance, endMaintenance, showMaintenance } from './maintenance.schema.js';
import { MaintenanceService } from './maintenance.service.js';

/** The platform's maintenance. */
@Controller('admin/v1/maintenance')
export class MaintenanceController {
  constructor(@Inject(MaintenanceService) private readonly maintenance: MaintenanceService) {}

  @Get()
  @RequirePermission('platform.notices.read')
  @Contract(showMaintenance)
  show(@OperatorCalling() caller: OperatorCaller): Promise<AnswerOf<typeof showMaintenance>> {
    return this.maintenance.show(caller);
  }

  @Put()
  @RequirePermission('platform.notices.write')
  @Contract(beginMaintenance)
  begin(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof beginMaintenance>,
  ): Promise<AnswerOf<typeof beginMaintenance>> {
    return this.maintenance.begin(caller, input);
  }

  @Delete()
  @RequirePermission('platform.notices.write')
  @Contract(endMaintenance)
  end(@OperatorCalling() caller: OperatorCaller, @Input() input: InputOf<typeof endMaintenance>): Promise<void> {
    return this.maintenance.end(caller, input);
  }
}
