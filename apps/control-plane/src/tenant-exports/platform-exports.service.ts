import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { OperatorOrders } from '../operator-orders/operator-orders.service.js';
import { actOf, lookOf } from '../operators/act.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import type { downloadExportOf, listExportsOf, requestExportOf } from './tenant-exports.schema.js';
import { TenantExportsService } from './tenant-exports.service.js';

/** Archives of tenants for operators, who say why; the platform's audit has it before anything of the tenant is handed out. */
@Injectable()
export class PlatformExportsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(OperatorOrders) private readonly orders: OperatorOrders,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(TenantExportsService) private readonly exports: TenantExportsService,
  ) {}

  /** @throws AppError `not_found`, `conflict` while another one is made */
  async request(
    caller: OperatorCaller,
    slug: string,
    { reason, secrets }: InputOf<typeof requestExportOf>['body'],
  ): Promise<AnswerOf<typeof requestExportOf>> {
    const { id: tenantId } = await this.tenants.get(slug);
    const act = actOf(caller, { action: 'tenants.export', reason, tenantId, details: { secrets: secrets.kind } });
    return this.orders.give({ act }, async (note) => {
      const made = await this.exports.request(caller, { tenantId, place: placeOf(slug) }, secrets, reason);
      note.tell({ export: made.id });
      return made;
    });
  }

  /** @throws AppError `not_found` */
  async list(
    caller: OperatorCaller,
    slug: string,
    query: InputOf<typeof listExportsOf>['query'],
  ): Promise<AnswerOf<typeof listExportsOf>> {
    const { id: tenantId } = await this.tenants.get(slug);
    const look = lookOf(caller, 'tenant_exports.list', tenantId);
    await this.database.asOperator(look, (tx) => this.tenants.noteLook(tx, caller, look));
    return this.exports.list({ tenantId, place: placeOf(slug) }, query);
  }

  /** @throws AppError `not_found`, `conflict` where it is not ready */
  async download(
    caller: OperatorCaller,
    { tenant: slug, export: id }: InputOf<typeof downloadExportOf>['params'],
    reason: string,
  ): Promise<{ readonly content: Readable; readonly bytes: number }> {
    const { id: tenantId } = await this.tenants.get(slug);
    const whose = { tenantId, place: placeOf(slug) };
    await this.exports.show(whose, id);
    const act = actOf(caller, { action: 'tenant_exports.download', reason, tenantId, details: { export: id } });
    return this.orders.give({ act }, () => this.exports.download(caller, whose, id, reason));
  }
}

function placeOf(slug: string): string {
  return `/admin/v1/tenants/${slug}/exports`;
}
