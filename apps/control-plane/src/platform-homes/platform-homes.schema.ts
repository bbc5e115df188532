import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';

/** What the database of all tenants that have none of their own is called. */
export const COMMON = 'common';

const databaseName = z
  .string()
  .regex(/^[a-z0-9-]{1,40}$/)
  .meta({ description: 'A name in `WHARF_DEDICATED_DATABASES`, or `common`.' });
const time = z.iso.datetime().nullable();

const moveSchema = z
  .strictObject({
    id: z.uuid(),
    from: databaseName,
    to: databaseName,
    state: z.enum(['waiting', 'leaving', 'copied', 'compared', 'switched', 'reopened', 'done', 'failed']),
    reason: z.string(),
    requested_at: z.iso.datetime(),
    closed_at: time.meta({ description: 'Since then nobody could work with the tenant.' }),
    opened_at: time.meta({ description: 'From then on it was open again.' }),
    ended_at: time,
    closed_seconds: z.number().nullable().meta({ description: 'How long it was closed, or is by now.' }),
    tables: z.int().meta({ description: 'Tables that were copied so far.' }),
    rows: z.int().meta({ description: 'Rows that were copied so far.' }),
    unaddressed: z.int().meta({
      description: 'People who came back without an address, which somebody else has; see the tenant’s owners.',
    }),
    attempts: z.int().meta({ description: 'Tries of the present step that did not succeed.' }),
    failure: z.string().nullable().meta({ description: 'Why it failed, or why a step is tried again.' }),
  })
  .meta({ id: 'TenantMove' });

const homeSchema = z
  .strictObject({
    database: databaseName,
    state: z
      .enum(['settled', 'leaving', 'returning'])
      .meta({ description: 'On its way, it refuses everything with 503 and `Retry-After`.' }),
    last_move: moveSchema.nullable(),
  })
  .meta({ id: 'TenantHome' });

/** `GET /admin/v1/tenants/{tenant}/home` */
export const showHome = contract({
  summary: 'Show which database a tenant’s rows are in, and how far its move is.',
  params: tenantParams,
  etag: 'shown',
  tagged: ['database'],
  answer: { status: 200, means: 'Its home.', schema: homeSchema },
});

/** `PUT /admin/v1/tenants/{tenant}/home` */
export const moveHome = contract({
  summary: 'Have a tenant’s rows moved into a database of its own, or back; it is closed meanwhile.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ database: databaseName, reason: reasonText })),
  etag: 'compared',
  tagged: ['database'],
  answer: { status: 202, means: 'It will be moved; look at it again for how far that is.', schema: homeSchema },
  refuses: ['conflict', 'unprocessable', 'unavailable'],
});
