import { Controller, Get, Inject } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { listAuditEvents, queryAudit } from './audit-query.schema.js';
import { AuditQueryService } from './audit-query.service.js';

/** The tenant's audit log. */
@Controller('v1/audit')
export class AuditQueryController {
  constructor(@Inject(AuditQueryService) private readonly audit: AuditQueryService) {}

  @Get()
  @RequirePermission('audit.read')
  @Contract(queryAudit)
  query(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof queryAudit>,
  ): Promise<AnswerOf<typeof queryAudit>> {
    return this.audit.query(caller, query);
  }

  @Get('events')
  @RequirePermission('audit.read')
  @Contract(listAuditEvents)
  events(): AnswerOf<typeof listAuditEvents> {
    return this.audit.events();
  }
}
