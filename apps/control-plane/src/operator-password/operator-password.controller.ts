import { Controller, Inject, Put } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type InputOf } from '../contract/contract.js';
import { changePassword } from './operator-password.schema.js';
import { OperatorPasswordService } from './operator-password.service.js';

/** An operator's own password. */
@Controller('admin/v1/me/password')
export class OperatorPasswordController {
  constructor(@Inject(OperatorPasswordService) private readonly passwords: OperatorPasswordService) {}

  @Put()
  @RequirePermission('platform.own')
  @Contract(changePassword)
  change(@OperatorCalling() caller: OperatorCaller, @Input() { body }: InputOf<typeof changePassword>): Promise<void> {
    return this.passwords.change(caller, body);
  }
}
