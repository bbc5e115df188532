import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { reasonText } from '../operators/act.js';

/** What everybody may know of maintenance. */
export const maintenanceSchema = z
  .strictObject({
    mode: z.enum(['management', 'everything']).meta({
      description: '`management`: changes are refused, calls go on. `everything`: calls are refused too.',
    }),
    message: z.string(),
    until: z.iso.datetime(),
  })
  .meta({ id: 'Maintenance' });

const answered = z.strictObject({ maintenance: maintenanceSchema.nullable() });

/** `GET /admin/v1/maintenance` */
export const showMaintenance = contract({
  summary: 'Show whether the platform is in maintenance.',
  answer: { status: 200, means: 'The maintenance; null while there is none.', schema: answered },
});

/** `PUT /admin/v1/maintenance` */
export const beginMaintenance = contract({
  summary:
    'Begin maintenance, or change it: management changes are answered 503 with the message and when to come back.',
  description: 'It ends by itself. What operators do goes on, and so does reading.',
  body: jsonBody(
    z.strictObject({
      mode: maintenanceSchema.shape.mode,
      message: lineOfText(500),
      minutes: z.int().min(1).max(1_440).meta({ description: 'How long at most, a day.' }),
      reason: reasonText,
    }),
  ),
  answer: { status: 200, means: 'It holds, within seconds at every process.', schema: answered },
});

/** `DELETE /admin/v1/maintenance` */
export const endMaintenance = contract({
  summary: 'End maintenance.',
  query: z.strictObject({ reason: reasonText }),
  answer: { status: 204, means: 'There is none.' },
});
