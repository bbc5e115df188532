import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { moment } from '../contract/times.js';
import { lineOfText } from '../contract/text.js';
import { maintenanceSchema } from '../maintenance/maintenance.schema.js';
import { reasonText } from '../operators/act.js';
import { regionName } from '../platform/regions.js';
import { nextCursor, pageCursor, pageLimit, shortList } from '../paging/cursor.js';

const announcementSchema = z
  .strictObject({
    id: z.uuid(),
    region: z.string().nullable().meta({ description: 'The region that it concerns; null: all.' }),
    severity: z.enum(['info', 'warning', 'critical']),
    text: z.string(),
    starts_at: z.iso.datetime(),
    ends_at: z.iso.datetime(),
  })
  .meta({ id: 'Announcement' });

const operatedSchema = announcementSchema
  .extend({ withdrawn_at: z.iso.datetime().nullable() })
  .meta({ id: 'OperatedAnnouncement' });

/** `GET /v1/announcements` */
export const showAnnouncements = contract({
  summary: 'Show what the operators of the platform announce now, and whether it is being maintained.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'Announcements that hold now, those begun last first.',
    schema: z.strictObject({
      announcements: z.array(announcementSchema),
      maintenance: maintenanceSchema.nullable(),
      next_cursor: nextCursor,
    }),
  },
});

/** `GET /admin/v1/announcements` */
export const listAnnouncements = contract({
  summary: 'List announcements: past, present and to come.',
  query: z.strictObject({ limit: pageLimit(100), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'Announcements, newest first.',
    schema: z.strictObject({ announcements: z.array(operatedSchema), next_cursor: nextCursor }),
  },
});

/** `POST /admin/v1/announcements` */
export const announce = contract({
  summary: 'Announce something for a time, to every tenant or to those that a region serves.',
  body: jsonBody(
    z
      .strictObject({
        region: regionName
          .optional()
          .meta({ description: 'Tells those alone whom this region serves; without it, everybody.' }),
        severity: announcementSchema.shape.severity,
        text: lineOfText(1_000),
        starts_at: moment.optional().meta({ description: 'Now where it is left out.' }),
        ends_at: moment,
        reason: reasonText,
      })
      .refine(isTime, { path: ['ends_at'], message: 'a time to come, after `starts_at`' }),
  ),
  answer: { status: 201, means: 'It is announced.', schema: z.strictObject({ announcement: operatedSchema }) },
  refuses: ['conflict'],
});

/** `DELETE /admin/v1/announcements/{id}` */
export const withdrawAnnouncement = contract({
  summary: 'Withdraw an announcement.',
  params: z.strictObject({ id: z.uuid() }),
  query: z.strictObject({ reason: reasonText }),
  answer: { status: 204, means: 'Nobody is shown it any more.' },
});

function isTime({ starts_at: from, ends_at: to }: { starts_at?: string | undefined; ends_at: string }): boolean {
  return Date.parse(to) > Date.now() && (from === undefined || Date.parse(from) < Date.parse(to));
}
