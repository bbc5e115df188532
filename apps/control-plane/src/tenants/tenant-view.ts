import type { z } from 'zod';
import { resourceUrl } from '#libs/identity';
import type { TenantRow } from './tenants.repository.js';
import type { tenantSchema, tenantUrlsSchema } from './tenants.schema.js';

/** A tenant as the API shows it. */
export function tenantView(row: TenantRow): z.input<typeof tenantSchema> {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    plan: row.plan,
    status: row.status,
    allowed_origins: row.allowed_origins,
    created_at: row.created_at.toISOString(),
  };
}

/** A tenant's URLs on the shared host. */
export function tenantUrls(publicUrl: string, tenantSlug: string): z.input<typeof tenantUrlsSchema> {
  return {
    mcp: resourceUrl({ publicUrl }, { kind: 'tenant', tenantSlug }),
    management_api: `${publicUrl}/v1`,
    docs: `${publicUrl}/v1/docs`,
  };
}
