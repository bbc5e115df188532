import { Controller, Get, Inject, StreamableFile } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { getImportedFile, listImportedFiles } from './imported-audit.schema.js';
import { ImportedAuditService } from './imported-audit.service.js';

/** The audit logs that came along with an imported tenant. */
@Controller('v1/audit/imported')
export class ImportedAuditController {
  constructor(@Inject(ImportedAuditService) private readonly imported: ImportedAuditService) {}

  @Get()
  @RequirePermission('audit.read')
  @Contract(listImportedFiles)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listImportedFiles>,
  ): Promise<AnswerOf<typeof listImportedFiles>> {
    return this.imported.list(caller, query);
  }

  @Get('content')
  @RequirePermission('audit.read')
  @Contract(getImportedFile)
  async download(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof getImportedFile>,
  ): Promise<StreamableFile> {
    return new StreamableFile(await this.imported.open(caller, query.path), { type: 'application/octet-stream' });
  }
}
