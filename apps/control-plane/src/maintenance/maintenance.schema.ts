import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { reasonText } from '../operators/act.js';
import { regionName } from '../platform/regions.js';

/** What everybody may know of maintenance. */
export const maintenanceSchema = z
  .strictObject({
    region: z.string().nullable().meta({ description: 'The region that is maintained; null: everything.' }),
    mode: z.enum(['management', 'everything']).meta({
      description: '`management`: changes are refused, calls go on. `everything`: calls are refused too.',
    }),
    message: z.string(),
    until: z.iso.datetime(),
  })
  .meta({ id: 'Maintenance' });

const answered = z.strictObject({
  maintenance: maintenanceSchema.nullable().meta({ description: 'Of everything.' }),
  regions: z.array(maintenanceSchema).meta({ description: 'Of one region each, by name.' }),
});

const region = regionName.optional().meta({
  description: 'As services name theirs in `WHARF_REGION`; without it, everything.',
});

/** `GET /admin/v1/maintenance` */
export const showMaintenance = contract({
  summary: 'Show whether the platform, or a region of it, is in maintenance.',
  etag: 'shown',
  answer: { status: 200, means: 'The maintenance; null while there is none.', schema: answered },
});

/** `PUT /admin/v1/maintenance` */
export const beginMaintenance = contract({
  summary:
    'Begin maintenance, or change it: management changes are answered 503 with the message and when to come back.',
  description:
    'Services of other regions than the named one go on. It ends by itself. What operators do goes on, and so does reading.',
  body: jsonBody(
    z.strictObject({
      region,
      mode: maintenanceSchema.shape.mode,
      message: lineOfText(500),
      minutes: z.int().min(1).max(1_440).meta({ description: 'How long at most, a day.' }),
      reason: reasonText,
    }),
  ),
  etag: 'compared',
  answer: { status: 200, means: 'It holds, within seconds at every process.', schema: answered },
  refuses: ['conflict'],
});

/** `DELETE /admin/v1/maintenance` */
export const endMaintenance = contract({
  summary: 'End maintenance.',
  query: z.strictObject({ region, reason: reasonText }),
  etag: 'compared',
  answer: { status: 204, means: 'There is none, of everything or of the region.' },
});
