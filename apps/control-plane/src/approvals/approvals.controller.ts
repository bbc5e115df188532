import { Controller, Get, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { approveCall, getApproval, listApprovals, refuseCall } from './approvals.schema.js';
import { ApprovalsService } from './approvals.service.js';

/** Calls that wait for a person. */
@Controller('v1/approvals')
export class ApprovalsController {
  constructor(@Inject(ApprovalsService) private readonly approvals: ApprovalsService) {}

  @Get()
  @RequirePermission('approvals.read')
  @Contract(listApprovals)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listApprovals>,
  ): Promise<AnswerOf<typeof listApprovals>> {
    return this.approvals.list(caller, query);
  }

  @Get(':approval')
  @RequirePermission('approvals.read')
  @Contract(getApproval)
  get(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getApproval>,
  ): Promise<AnswerOf<typeof getApproval>> {
    return this.approvals.get(caller, params.approval);
  }

  @Post(':approval/approve')
  @RequirePermission('approvals.decide')
  @Contract(approveCall)
  approve(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof approveCall>,
  ): Promise<AnswerOf<typeof approveCall>> {
    return this.approvals.decide(caller, input, 'approved');
  }

  @Post(':approval/refuse')
  @RequirePermission('approvals.decide')
  @Contract(refuseCall)
  refuse(
    @TenantCalling() caller: TenantCaller,
    @Input() input: InputOf<typeof refuseCall>,
  ): Promise<AnswerOf<typeof refuseCall>> {
    return this.approvals.decide(caller, input, 'refused');
  }
}
