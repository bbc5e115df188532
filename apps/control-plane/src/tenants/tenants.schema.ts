import { z } from 'zod';
import { isWebOrigin } from '#libs/http';
import { contract, jsonBody } from '../contract/contract.js';

const allowedOrigins = z
  .array(z.string().max(300).refine(isWebOrigin, 'an origin: https://host[:port], or http://localhost:port'))
  .max(32)
  .meta({
    description:
      'Web pages that may call the tenant’s URLs from a browser, as the browser names them in `Origin`. The ' +
      'installation’s own pages and the web clients it knows may without being named; any other page is refused (403). ' +
      'Programs outside browsers send no `Origin` and are not affected.',
  });

/** A tenant as its members see it. */
export const tenantSchema = z
  .strictObject({
    id: z.uuid(),
    slug: z.string(),
    name: z.string(),
    plan: z.string(),
    status: z.enum(['active', 'suspended']),
    allowed_origins: allowedOrigins,
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

const homeSchema = z.strictObject({
  tier: z.enum(['common', 'dedicated']).meta({
    description:
      'Whether its rows are in a database with those of others, walled off from them, or in one of its own. While they are ' +
      'moved from one to the other, every request is answered 503 with `Retry-After`.',
  }),
});

/** `GET /v1/tenant` */
export const getTenant = contract({
  summary: 'Show the tenant these credentials belong to, with its URLs and the limits of its plan.',
  etag: 'shown',
  tagged: ['tenant'],
  answer: {
    status: 200,
    means: 'The tenant.',
    schema: z.strictObject({ tenant: tenantSchema, urls: tenantUrlsSchema, limits: limitsSchema, home: homeSchema }),
  },
});

/** `PATCH /v1/tenant` */
export const changeTenant = contract({
  summary: 'Say which web pages may call the tenant’s URLs.',
  body: jsonBody(z.strictObject({ allowed_origins: allowedOrigins })),
  etag: 'compared',
  answer: { status: 200, means: 'The tenant.', schema: tenantSchema },
});
