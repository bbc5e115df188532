import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';
import { cursorOf, nextCursor, pageLimit } from '../paging/cursor.js';

const DIGEST = /^[\w-]{43}$/;

const sessionSchema = z
  .strictObject({
    id: z.string().meta({ description: 'What stands for the session here; its own id is a credential.' }),
    used_at: z.iso.datetime(),
    servers: z.array(z.string()),
    runtime: z.string().nullable().meta({ description: 'The mark of the worker-runtime that holds it.' }),
  })
  .meta({ id: 'TenantSession' });

/** `GET /admin/v1/tenants/{tenant}/sessions` */
export const listSessions = contract({
  summary: 'List a tenant’s open sessions of the 2025 era, those used last first; a thousand can be looked through.',
  params: tenantParams,
  query: z.strictObject({ limit: pageLimit(200), cursor: cursorOf(/^\d{15}[\w-]{43}$/) }),
  answer: {
    status: 200,
    means: 'The sessions.',
    schema: z.strictObject({ sessions: z.array(sessionSchema), total: z.int(), next_cursor: nextCursor }),
  },
  refuses: ['unavailable'],
});

/** `DELETE /admin/v1/tenants/{tenant}/sessions/{session}` */
export const endSession = contract({
  summary: 'End one session: its next request is told that it has ended, and its client begins another.',
  params: tenantParams.extend({ session: z.string().regex(DIGEST) }),
  query: z.strictObject({ reason: reasonText }),
  answer: { status: 204, means: 'It has ended.' },
  refuses: ['unavailable'],
});
