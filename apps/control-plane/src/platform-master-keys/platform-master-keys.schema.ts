import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText } from '../operators/act.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const keySchema = z
  .strictObject({
    id: z.string().meta({ description: 'Names the key and tells nothing of it.' }),
    state: z.enum(['sealing', 'opening', 'left']).meta({
      description:
        '`sealing`: the control-plane seals with it. `opening`: rows may be sealed under it, so it has to stay in ' +
        '`WHARF_MASTER_KEY`. `left`: no row is sealed under it, and it may be taken out.',
    }),
    rows_left: z.int().meta({ description: 'Rows that are sealed under it.' }),
    rows: z.record(z.string(), z.int()).meta({ description: 'The same for each table.' }),
    created_at: z.iso.datetime(),
    rewrap_asked_at: z.iso.datetime().nullable(),
    rewrapped_at: z.iso.datetime().nullable().meta({ description: 'When nothing was sealed under another key.' }),
    left_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'MasterKey' });

const keys = z.strictObject({ master_keys: z.array(keySchema) });

/** `GET /admin/v1/master-keys` */
export const listMasterKeys = contract({
  summary: 'List the master keys, and how many rows are sealed under each.',
  query: z.strictObject({ ...shortList }),
  answer: { status: 200, means: 'The keys, newest first.', schema: keys.extend({ next_cursor: nextCursor }) },
});

/** `POST /admin/v1/master-keys/rewrap` */
export const rewrapMasterKeys = contract({
  summary: 'Seal everything under the first master key.',
  description:
    'The background service does it within a quarter of a minute, in small batches, and goes on where it was broken off. ' +
    'Ask when every service runs with the new key first in `WHARF_MASTER_KEY`, and look at `rows_left` of the others.',
  body: jsonBody(z.strictObject({ reason: reasonText })),
  answer: { status: 202, means: 'Rows are sealed anew.', schema: keys },
});
