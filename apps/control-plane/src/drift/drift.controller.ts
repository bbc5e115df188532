import { Controller, Get, Inject, Post, Put } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import {
  approveCandidate,
  changeDriftPolicy,
  checkDrift,
  getCandidate,
  getDrift,
  listCandidates,
  refuseCandidate,
} from './drift.schema.js';
import { DriftDecisions } from './drift-decisions.js';
import { DriftService } from './drift.service.js';

/** What a server's upstreams list that was not approved. */
@Controller('v1/servers/:server/drift')
export class DriftController {
  constructor(
    @Inject(DriftService) private readonly drift: DriftService,
    @Inject(DriftDecisions) private readonly decisions: DriftDecisions,
  ) {}

  @Get()
  @RequirePermission('releases.read')
  @Contract(getDrift)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getDrift>,
  ): Promise<AnswerOf<typeof getDrift>> {
    return this.drift.get(caller, params.server);
  }

  @Put()
  @RequirePermission('releases.write')
  @Contract(changeDriftPolicy)
  change(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof changeDriftPolicy>,
  ): Promise<AnswerOf<typeof changeDriftPolicy>> {
    return this.drift.setPolicy(caller, input);
  }

  @Post('check')
  @RequirePermission('releases.write')
  @Contract(checkDrift)
  check(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof checkDrift>,
  ): Promise<AnswerOf<typeof checkDrift>> {
    return this.drift.check(caller, params.server);
  }

  @Get('candidates')
  @RequirePermission('releases.read')
  @Contract(listCandidates)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof listCandidates>,
  ): Promise<AnswerOf<typeof listCandidates>> {
    return this.drift.list(caller, input);
  }

  @Get('candidates/:candidate')
  @RequirePermission('releases.read')
  @Contract(getCandidate)
  find(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getCandidate>,
  ): Promise<AnswerOf<typeof getCandidate>> {
    return this.drift.find(caller, params);
  }

  @Post('candidates/:candidate/approve')
  @RequirePermission('releases.write')
  @Contract(approveCandidate)
  approve(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof approveCandidate>,
  ): Promise<AnswerOf<typeof approveCandidate>> {
    return this.decisions.approve(caller, params, body);
  }

  @Post('candidates/:candidate/refuse')
  @RequirePermission('releases.write')
  @Contract(refuseCandidate)
  refuse(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, body }: InputOf<typeof refuseCandidate>,
  ): Promise<AnswerOf<typeof refuseCandidate>> {
    return this.decisions.refuse(caller, params, body.reason);
  }
}
