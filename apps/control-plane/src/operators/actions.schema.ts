import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';

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
  query: z.strictObject({ limit: pageLimit(200), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'Actions, newest first.',
    schema: z.strictObject({ actions: z.array(actionSchema), next_cursor: nextCursor }),
  },
});
