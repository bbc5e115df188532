import { z } from 'zod';
import { ACT_OUTCOMES } from '#libs/database';
import { contract } from '../contract/contract.js';
import { moment } from '../contract/times.js';
import { searchText } from '../contract/text.js';
import { cursorOf, nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';

const actionSchema = z
  .strictObject({
    id: z.uuid(),
    at: z.iso.datetime(),
    operator: z.strictObject({ id: z.uuid(), name: z.string() }),
    action: z.string(),
    reason: z.string(),
    tenant_id: z.uuid().nullable(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'OperatorAction' });

/** `GET /admin/v1/actions` */
export const listActions = contract({
  summary: 'List what operators did and looked at.',
  query: z.strictObject({
    operator: z.uuid().optional().meta({ description: 'Only this operator’s, by id.' }),
    tenant_id: z.uuid().optional(),
    action: z
      .string()
      .regex(/^[a-z_]{1,64}(\.[a-z_]{1,64})?$/, 'an action such as tenants.suspend, or its beginning')
      .optional()
      .meta({ description: 'Only this action, or all that begin with `tenants`.' }),
    outcome: z.enum(ACT_OUTCOMES).optional().meta({ description: 'Only acts of which this came.' }),
    q: searchText(120).optional().meta({ description: 'Part of the reason.' }),
    from: moment.optional().meta({ description: 'Actions of this time and later.' }),
    to: moment.optional().meta({ description: 'Actions before this time.' }),
    limit: pageLimit(200),
    cursor: pageCursor,
  }),
  answer: {
    status: 200,
    means: 'Actions, newest first.',
    schema: z.strictObject({ actions: z.array(actionSchema), next_cursor: nextCursor }),
  },
});

/** `GET /admin/v1/actions/checkpoints` */
export const listPlatformCheckpoints = contract({
  summary: 'List the signed checkpoints of what operators did, and the keys that sign them.',
  query: z.strictObject({ limit: pageLimit(200), cursor: cursorOf(/^\d{1,12}$/) }),
  answer: {
    status: 200,
    means: 'Checkpoints (C2SP tlog-checkpoint), newest first: keep them somewhere else.',
    schema: z.strictObject({
      checkpoints: z.array(
        z.strictObject({ size: z.int(), root: z.string(), note: z.string(), created_at: z.iso.datetime() }),
      ),
      verifier_keys: z.array(z.string()),
      next_cursor: nextCursor,
    }),
  },
});

/** `GET /admin/v1/actions/export` */
export const exportActions = contract({
  summary: 'Export what operators did, as `wharf-verify` checks it.',
  answer: {
    status: 200,
    means: 'Every act that has a number, oldest first, a line each.',
    schema: z.string(),
    mediaType: 'application/x-ndjson',
  },
});
