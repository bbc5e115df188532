import { Controller, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { promote } from './promotions.schema.js';
import { PromotionsService } from './promotions.service.js';

/** Promotion between the environments of a server. */
@Controller('v1/servers/:server/promotions')
export class PromotionsController {
  constructor(@Inject(PromotionsService) private readonly promotions: PromotionsService) {}

  @Post()
  @RequirePermission('releases.write')
  @Contract(promote)
  promote(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof promote>,
  ): Promise<AnswerOf<typeof promote>> {
    return this.promotions.promote(caller, params.server, body);
  }
}
