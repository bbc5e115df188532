import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { tenantUrls, tenantView } from './tenant-view.js';
import { TenantsRepository } from './tenants.repository.js';
import type { changeTenant, getTenant } from './tenants.schema.js';

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
      const urls = tenantUrls(this.config.WHARF_PUBLIC_URL, tenant.slug);
      return { tenant: tenantView(tenant), urls, limits, home: { tier: await this.tenants.tier(tx) } };
    });
  }

  /** Later calls meet it at once. @throws AppError `precondition_failed` */
  async change(
    caller: TenantCaller,
    { body: { allowed_origins: origins }, precondition }: InputOf<typeof changeTenant>,
  ): Promise<AnswerOf<typeof changeTenant>> {
    const { tenantId } = caller;
    const changed = await this.database.asTenant(tenantId, async (tx) => {
      const before = await this.tenants.lock(tx, tenantId);
      precondition.require(before && tenantView(before));
      await this.tenants.setAllowedOrigins(tx, tenantId, [...new Set(origins)]);
      const tenant = await this.tenants.find(tx, tenantId);
      if (tenant === undefined) throw new AppError('not_found');
      const details = { allowed_origins: tenant.allowed_origins };
      const entry = { event: 'tenant.changed', target: `tenant:${tenantId}`, details } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
      return tenantView(tenant);
    });
    await this.database.showTenant(tenantId);
    return changed;
  }
}
