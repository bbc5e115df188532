import { Controller, Delete, Get, Inject } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listEmergencyKeys, shutEmergencyKey } from './emergency-keys.schema.js';
import { EmergencyKeysService } from './emergency-keys.service.js';

/** Operators' keys that the configuration names: made by `npm start` and `npm run migrate`, shown and shut here. */
@Controller('admin/v1/emergency-keys')
export class EmergencyKeysController {
  constructor(@Inject(EmergencyKeysService) private readonly keys: EmergencyKeysService) {}

  @Get()
  @RequirePermission('platform.operators.read')
  @Contract(listEmergencyKeys)
  list(@OperatorCalling() caller: OperatorCaller): Promise<AnswerOf<typeof listEmergencyKeys>> {
    return this.keys.list(caller);
  }

  @Delete(':id')
  @RequirePermission('platform.operators.write')
  @Contract(shutEmergencyKey)
  shut(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, query }: InputOf<typeof shutEmergencyKey>,
  ): Promise<void> {
    return this.keys.shut(caller, params.id, query.reason);
  }
}
