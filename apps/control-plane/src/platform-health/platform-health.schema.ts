import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { tenantParams } from '../operators/act.js';

const count = z.int().min(0);
const seconds = z.number().nullable();

/** `GET /admin/v1/tenants/{tenant}/usage` */
export const showTenantUsage = contract({
  summary: 'Show what a tenant used: this month of its budgets, and each of the last thirty days.',
  description: 'Sums of the whole tenant: which servers, tools and clients they are of is the tenant’s own to know.',
  params: tenantParams,
  answer: {
    status: 200,
    means: 'The usage.',
    schema: z
      .strictObject({
        month: z.string(),
        resets_at: z.iso.datetime(),
        budgets: z.array(z.strictObject({ budget: z.string(), used: count, allowed: count.nullable() })),
        days: z.array(
          z.strictObject({
            day: z.iso.date(),
            calls: count,
            failed: count,
            tool_seconds: z.number(),
            bytes_in: count,
            bytes_out: count,
          }),
        ),
      })
      .meta({ id: 'TenantUsage' }),
  },
});

/** `GET /admin/v1/tenants/{tenant}/health` */
export const showTenantHealth = contract({
  summary: 'Show how a tenant is doing: its calls of the last minutes, how they ended and how long they took.',
  params: tenantParams,
  query: z.strictObject({
    minutes: z
      .string()
      .regex(/^\d{1,4}$/, 'whole minutes from 1 to 1440')
      .transform(Number)
      .pipe(z.number().min(1).max(1_440))
      .default(60)
      .meta({ description: 'How far back, from 1 to 1440 minutes.' }),
  }),
  answer: {
    status: 200,
    means: 'The tenant’s health.',
    schema: z
      .strictObject({
        status: z.enum(['active', 'suspended']),
        minutes: count,
        calls: count,
        tool_errors: count,
        failures: count,
        refusals: count,
        p50_seconds: seconds,
        p95_seconds: seconds,
        p99_seconds: seconds,
        concurrency_peak: count,
        worker_memory_bytes: count.nullable(),
      })
      .meta({ id: 'TenantHealth' }),
  },
});
