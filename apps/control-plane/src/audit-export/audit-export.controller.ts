import type { ServerResponse } from 'node:http';
import { Controller, Get, Inject, Res, StreamableFile } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type InputOf } from '../contract/contract.js';
import { whenClosed } from '../edge/when-closed.js';
import { EXPORT_FORMATS, exportAudit } from './audit-export.schema.js';
import { AuditExportService } from './audit-export.service.js';

/** The audit log as a whole. */
@Controller('v1/audit/export')
export class AuditExportController {
  constructor(@Inject(AuditExportService) private readonly exports: AuditExportService) {}

  @Get()
  @RequirePermission('audit.read')
  @Contract(exportAudit)
  async open(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof exportAudit>,
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<StreamableFile> {
    const gone = new AbortController();
    whenClosed(response, () => gone.abort());
    const lines = await this.exports.open(caller, query, gone.signal);
    return new StreamableFile(lines, { type: EXPORT_FORMATS[query.format] });
  }
}
