import { Controller, Get, Inject, Put } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { changeReleaseSchedule, getReleaseSchedule } from './release-schedules.schema.js';
import { ReleaseSchedulesService } from './release-schedules.service.js';

/** Release windows and freezes of a server. */
@Controller('v1/servers/:server/release-schedule')
export class ReleaseSchedulesController {
  constructor(@Inject(ReleaseSchedulesService) private readonly schedules: ReleaseSchedulesService) {}

  @Get()
  @RequirePermission('releases.read')
  @Contract(getReleaseSchedule)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getReleaseSchedule>,
  ): Promise<AnswerOf<typeof getReleaseSchedule>> {
    return this.schedules.get(caller, params.server);
  }

  @Put()
  @RequirePermission('releases.write')
  @Contract(changeReleaseSchedule)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeReleaseSchedule>,
  ): Promise<AnswerOf<typeof changeReleaseSchedule>> {
    return this.schedules.change(caller, input);
  }
}
