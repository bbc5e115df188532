import { Controller, Get, Inject, Post } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listBreakers, openBreaker, resetBreaker } from './platform-breakers.schema.js';
import { PlatformBreakersService } from './platform-breakers.service.js';

/** Operators' work on upstreams' breakers. */
@Controller('admin/v1/tenants/:tenant/breakers')
export class PlatformBreakersController {
  constructor(@Inject(PlatformBreakersService) private readonly breakers: PlatformBreakersService) {}

  @Get()
  @RequirePermission('platform.breakers.read')
  @Contract(listBreakers)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() input: InputOf<typeof listBreakers>,
  ): Promise<AnswerOf<typeof listBreakers>> {
    return this.breakers.list(caller, input);
  }

  @Post('open')
  @RequirePermission('platform.breakers.write')
  @Contract(openBreaker)
  open(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof openBreaker>,
  ): Promise<AnswerOf<typeof openBreaker>> {
    return this.breakers.order(caller, params.tenant, body);
  }

  @Post('reset')
  @RequirePermission('platform.breakers.write')
  @Contract(resetBreaker)
  reset(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof resetBreaker>,
  ): Promise<AnswerOf<typeof resetBreaker>> {
    return this.breakers.order(caller, params.tenant, body);
  }
}
