import { Controller, Delete, Get, Inject, Post } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import type { ControlPlaneConfig } from '../config.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { CONFIG } from '../platform/tokens.js';
import { AttemptLimiter } from '../signup/attempt-limiter.js';
import { createInvitation, listInvitations, withdrawInvitation } from './invitations.schema.js';
import { InvitationsService } from './invitations.service.js';

/** Mails that one address is sent by invitations in an hour, whoever invites. */
const MAILS_MAX = 20;

/** The tenant's invitations. */
@Controller('v1/invitations')
export class InvitationsController {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(AttemptLimiter) private readonly attempts: AttemptLimiter,
    @Inject(InvitationsService) private readonly invitations: InvitationsService,
  ) {}

  @Get()
  @RequirePermission('members.read')
  @Contract(listInvitations)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listInvitations>,
  ): Promise<AnswerOf<typeof listInvitations>> {
    return this.invitations.list(caller, query);
  }

  @Post()
  @RequirePermission('members.write')
  @Contract(createInvitation)
  async create(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof createInvitation>,
  ): Promise<AnswerOf<typeof createInvitation>> {
    const max = Math.max(MAILS_MAX, this.config.WHARF_SIGNUPS_PER_HOUR);
    await this.attempts.count('inviting this e-mail address', body.email, MAILS_MAX);
    await this.attempts.count('invitations of this tenant', caller.tenantId, max * 10);
    return this.invitations.create(caller, body);
  }

  @Delete(':invitation')
  @RequirePermission('members.write')
  @Contract(withdrawInvitation)
  withdraw(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof withdrawInvitation>,
  ): Promise<void> {
    return this.invitations.withdraw(caller, params.invitation);
  }
}
