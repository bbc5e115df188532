import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf } from '../contract/contract.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { tenantUrls, tenantView } from './tenant-view.js';
import { TenantsRepository } from './tenants.repository.js';
import type { getTenant } from './tenants.schema.js';

/** What a tenant may know of itself. */
@Injectable()
export class TenantsService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(TenantsRepository) private readonly tenants: TenantsRepository,
  ) {}

  async get({ tenantId }: TenantCaller): Promise<AnswerOf<typeof getTenant>> {
    return this.database.asTenant(tenantId, async (tx) => {
      const tenant = await this.tenants.find(tx, tenantId);
      const limits = await this.tenants.findLimits(tx, tenantId);
      if (tenant === undefined || limits === undefined) throw new AppError('not_found');
      return { tenant: tenantView(tenant), urls: tenantUrls(this.config.WHARF_PUBLIC_URL, tenant.slug), limits };
    });
  }
}
