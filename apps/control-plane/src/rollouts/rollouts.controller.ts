import { Controller, Get, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { RolloutMoves } from './rollout-moves.js';
import {
  abortRollout,
  createRollout,
  getRollout,
  listRollouts,
  pauseRollout,
  promoteRollout,
  resumeRollout,
} from './rollouts.schema.js';
import { RolloutsService } from './rollouts.service.js';

/** Bringing releases to callers. */
@Controller('v1/servers/:server/rollouts')
export class RolloutsController {
  constructor(
    @Inject(RolloutsService) private readonly rollouts: RolloutsService,
    @Inject(RolloutMoves) private readonly moves: RolloutMoves,
  ) {}

  @Post()
  @RequirePermission('releases.write')
  @Contract(createRollout)
  create(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof createRollout>,
  ): Promise<AnswerOf<typeof createRollout>> {
    return this.rollouts.create(caller, params.server, body);
  }

  @Get()
  @RequirePermission('releases.read')
  @Contract(listRollouts)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof listRollouts>,
  ): Promise<AnswerOf<typeof listRollouts>> {
    return this.rollouts.list(caller, input);
  }

  @Get(':rollout')
  @RequirePermission('releases.read')
  @Contract(getRollout)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getRollout>,
  ): Promise<AnswerOf<typeof getRollout>> {
    return this.rollouts.get(caller, params);
  }

  @Post(':rollout/pause')
  @RequirePermission('releases.write')
  @Contract(pauseRollout)
  pause(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof pauseRollout>,
  ): Promise<AnswerOf<typeof pauseRollout>> {
    return this.moves.pause(caller, params);
  }

  @Post(':rollout/resume')
  @RequirePermission('releases.write')
  @Contract(resumeRollout)
  resume(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof resumeRollout>,
  ): Promise<AnswerOf<typeof resumeRollout>> {
    return this.moves.resume(caller, params);
  }

  @Post(':rollout/promote')
  @RequirePermission('releases.write')
  @Contract(promoteRollout)
  promote(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof promoteRollout>,
  ): Promise<AnswerOf<typeof promoteRollout>> {
    return this.moves.promote(caller, params);
  }

  @Post(':rollout/abort')
  @RequirePermission('releases.write')
  @Contract(abortRollout)
  abort(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof abortRollout>,
  ): Promise<AnswerOf<typeof abortRollout>> {
    return this.moves.abort(caller, params);
  }
}
