import type { ServerResponse } from 'node:http';
import { Controller, Get, Inject, Res, StreamableFile } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { whenClosed } from '../edge/when-closed.js';
import { AuditArchivesService } from './audit-archives.service.js';
import { EXPORT_FORMATS, exportAudit, getArchive, listArchives } from './audit-export.schema.js';
import { AuditExportService } from './audit-export.service.js';

/** The audit log as a whole. */
@Controller('v1/audit')
export class AuditExportController {
  constructor(
    @Inject(AuditExportService) private readonly exports: AuditExportService,
    @Inject(AuditArchivesService) private readonly archives: AuditArchivesService,
  ) {}

  @Get('export')
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

  @Get('archives')
  @RequirePermission('audit.read')
  @Contract(listArchives)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listArchives>,
  ): Promise<AnswerOf<typeof listArchives>> {
    return this.archives.list(caller, query);
  }

  @Get('archives/:first_leaf')
  @RequirePermission('audit.read')
  @Contract(getArchive)
  async download(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof getArchive>,
  ): Promise<StreamableFile> {
    const content = await this.archives.get(caller, params.first_leaf);
    return new StreamableFile(content, { type: 'application/gzip' });
  }
}
