import { Controller, Get, Inject, Put } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { moveHome, showHome } from './platform-homes.schema.js';
import { PlatformHomesService } from './platform-homes.service.js';

/** Which databases tenants are at home in. */
@Controller('admin/v1/tenants/:tenant/home')
export class PlatformHomesController {
  constructor(@Inject(PlatformHomesService) private readonly homes: PlatformHomesService) {}

  @Get()
  @RequirePermission('platform.tenants.read')
  @Contract(showHome)
  show(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params }: InputOf<typeof showHome>,
  ): Promise<AnswerOf<typeof showHome>> {
    return this.homes.show(caller, params.tenant);
  }

  @Put()
  @RequirePermission('platform.tenants.home')
  @Contract(moveHome)
  move(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof moveHome>,
  ): Promise<AnswerOf<typeof moveHome>> {
    return this.homes.move(caller, input);
  }
}
