import { Controller, Delete, Get, Inject } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { erasePerson, listCheckpoints, listKeys, proveConsistency, proveInclusion } from './audit-proofs.schema.js';
import { AuditProofsService } from './audit-proofs.service.js';

/** Checkpoints and proofs of the audit log. */
@Controller('v1/audit')
export class AuditProofsController {
  constructor(@Inject(AuditProofsService) private readonly proofs: AuditProofsService) {}

  @Get('checkpoints')
  @RequirePermission('audit.read')
  @Contract(listCheckpoints)
  checkpoints(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listCheckpoints>,
  ): Promise<AnswerOf<typeof listCheckpoints>> {
    return this.proofs.listCheckpoints(caller, query);
  }

  @Get('keys')
  @RequirePermission('audit.read')
  @Contract(listKeys)
  keys(@TenantCalling() caller: TenantCaller): Promise<AnswerOf<typeof listKeys>> {
    return this.proofs.listKeys(caller);
  }

  @Get('records/:id/proof')
  @RequirePermission('audit.read')
  @Contract(proveInclusion)
  inclusion(
    @TenantCalling() caller: TenantCaller,
    @Input() { params, query }: InputOf<typeof proveInclusion>,
  ): Promise<AnswerOf<typeof proveInclusion>> {
    return this.proofs.proveInclusion(caller, params.id, query.size);
  }

  @Get('consistency')
  @RequirePermission('audit.read')
  @Contract(proveConsistency)
  consistency(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof proveConsistency>,
  ): Promise<AnswerOf<typeof proveConsistency>> {
    return this.proofs.proveConsistency(caller, query);
  }

  @Delete('people/:person')
  @RequirePermission('audit.erase')
  @Contract(erasePerson)
  erase(@TenantCalling() caller: TenantCaller, @Input() { params }: InputOf<typeof erasePerson>): Promise<void> {
    return this.proofs.erasePerson(caller, params.person);
  }
}
