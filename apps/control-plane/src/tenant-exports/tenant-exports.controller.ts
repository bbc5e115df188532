import { Controller, Get, Inject, Post, StreamableFile } from '@nestjs/common';
import { TenantCalling, type TenantCaller } from '../access/caller.js';
import { OpenWhileDeleting, RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { downloadExport, listExports, requestExport, showExport } from './tenant-exports.schema.js';
import { TenantExportsService } from './tenant-exports.service.js';

/** Archives of the tenant of the credentials. */
@Controller('v1/tenant/exports')
export class TenantExportsController {
  constructor(@Inject(TenantExportsService) private readonly exports: TenantExportsService) {}

  @Post()
  @RequirePermission('tenant.export')
  @Contract(requestExport)
  request(
    @TenantCalling() caller: TenantCaller,
    @Input() { body }: InputOf<typeof requestExport>,
  ): Promise<AnswerOf<typeof requestExport>> {
    return this.exports.request(caller, whoseOf(caller), body.secrets);
  }

  @Get()
  @RequirePermission('tenant.export')
  @OpenWhileDeleting()
  @Contract(listExports)
  list(
    @TenantCalling() caller: TenantCaller,
    @Input() { query }: InputOf<typeof listExports>,
  ): Promise<AnswerOf<typeof listExports>> {
    return this.exports.list(whoseOf(caller), query);
  }

  @Get(':export')
  @RequirePermission('tenant.export')
  @OpenWhileDeleting()
  @Contract(showExport)
  show(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof showExport>,
  ): Promise<AnswerOf<typeof showExport>> {
    return this.exports.show(whoseOf(caller), params.export);
  }

  @Get(':export/content')
  @RequirePermission('tenant.export')
  @OpenWhileDeleting()
  @Contract(downloadExport)
  async download(
    @TenantCalling() caller: TenantCaller,
    @Input() { params }: InputOf<typeof downloadExport>,
  ): Promise<StreamableFile> {
    const { content, bytes } = await this.exports.download(caller, whoseOf(caller), params.export);
    return new StreamableFile(content, { type: 'application/zip', length: bytes });
  }
}

function whoseOf({ tenantId }: TenantCaller): { readonly tenantId: string; readonly place: string } {
  return { tenantId, place: '/v1/tenant/exports' };
}
