import { Controller, Get, Inject, Post, StreamableFile } from '@nestjs/common';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { PlatformExportsService } from './platform-exports.service.js';
import { downloadExportOf, listExportsOf, requestExportOf } from './tenant-exports.schema.js';

/** Archives of tenants, as operators have them made. */
@Controller('admin/v1/tenants/:tenant/exports')
export class PlatformExportsController {
  constructor(@Inject(PlatformExportsService) private readonly exports: PlatformExportsService) {}

  @Post()
  @RequirePermission('platform.tenants.export')
  @Contract(requestExportOf)
  request(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof requestExportOf>,
  ): Promise<AnswerOf<typeof requestExportOf>> {
    return this.exports.request(caller, params.tenant, body);
  }

  @Get()
  @RequirePermission('platform.tenants.read')
  @Contract(listExportsOf)
  list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, query }: InputOf<typeof listExportsOf>,
  ): Promise<AnswerOf<typeof listExportsOf>> {
    return this.exports.list(caller, params.tenant, query);
  }

  @Get(':export/content')
  @RequirePermission('platform.tenants.export')
  @Contract(downloadExportOf)
  async download(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, query }: InputOf<typeof downloadExportOf>,
  ): Promise<StreamableFile> {
    const { content, bytes } = await this.exports.download(caller, params, query.reason);
    return new StreamableFile(content, { type: 'application/zip', length: bytes });
  }
}
