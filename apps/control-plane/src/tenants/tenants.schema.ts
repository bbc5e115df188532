import { z } from 'zod';
import { contract } from '../contract/contract.js';

/** A tenant as its members see it. */
export const tenantSchema = z
  .strictObject({
    id: z.uuid(),
    slug: z.string(),
    name: z.string(),
    plan: z.string(),
    status: z.enum(['active', 'suspended']),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Tenant' });

/** Where a tenant's agents and members connect. */
export const tenantUrlsSchema = z
  .strictObject({
    mcp: z.url().meta({ description: 'The tenant URL: all published servers, for agents.' }),
    management_api: z.url(),
    docs: z.url(),
  })
  .meta({ id: 'TenantUrls' });

const limitsSchema = z.strictObject({
  calls_per_minute: z.int(),
  concurrent_calls: z.int(),
  servers_max: z.int(),
  worker_memory_mb: z.int(),
});

/** `GET /v1/tenant` */
export const getTenant = contract({
  summary: 'Show the tenant these credentials belong to, with its URLs and the limits of its plan.',
  answer: {
    status: 200,
    means: 'The tenant.',
    schema: z.strictObject({ tenant: tenantSchema, urls: tenantUrlsSchema, limits: limitsSchema }),
  },
});
