import { Controller, Get, Inject, Post, StreamableFile } from '@nestjs/common';
import type { Database } from '#libs/database';
import { OperatorCalling, type OperatorCaller } from '../access/caller.js';
import { RequirePermission } from '../access/permissions.js';
import { Contract, Input, type AnswerOf, type InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { downloadExportOf, listExportsOf, requestExportOf } from './tenant-exports.schema.js';
import { TenantExportsService } from './tenant-exports.service.js';

/** Archives of tenants, as operators have them made. Each act stands in the platform's audit before it is done. */
@Controller('admin/v1/tenants/:tenant/exports')
export class PlatformExportsController {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(TenantExportsService) private readonly exports: TenantExportsService,
  ) {}

  @Post()
  @RequirePermission('platform.tenants.export')
  @Contract(requestExportOf)
  async request(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, body }: InputOf<typeof requestExportOf>,
  ): Promise<AnswerOf<typeof requestExportOf>> {
    const { id: tenantId } = await this.tenants.get(params.tenant);
    const { reason, secrets } = body;
    const act = actOf(caller, { action: 'tenants.export', reason, tenantId, details: { secrets: secrets.kind } });
    await this.database.asOperator(act, async () => undefined);
    return this.exports.request(caller, tenantId, secrets, reason);
  }

  @Get()
  @RequirePermission('platform.tenants.read')
  @Contract(listExportsOf)
  async list(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params, query }: InputOf<typeof listExportsOf>,
  ): Promise<AnswerOf<typeof listExportsOf>> {
    const { id } = await this.tenants.get(params.tenant);
    const look = lookOf(caller, 'tenant_exports.list', id);
    await this.database.asOperator(look, (tx) => this.tenants.noteLook(tx, caller, look));
    return this.exports.list(id, query);
  }

  @Get(':export/content')
  @RequirePermission('platform.tenants.export')
  @Contract(downloadExportOf)
  async download(
    @OperatorCalling() caller: OperatorCaller,
    @Input() { params }: InputOf<typeof downloadExportOf>,
  ): Promise<StreamableFile> {
    const { id } = await this.tenants.get(params.tenant);
    await this.exports.show(id, params.export);
    await this.database.asOperator(lookOf(caller, 'tenant_exports.download', id), async () => undefined);
    const { content, bytes } = await this.exports.download(caller, id, params.export);
    return new StreamableFile(content, { type: 'application/zip', length: bytes });
  }
}
