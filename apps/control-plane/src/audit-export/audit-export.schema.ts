import { z } from 'zod';
import { auditFilter, refuseBackwards } from '../audit-query/audit-query.schema.js';
import { contract } from '../contract/contract.js';
import { cursorOf, nextCursor, pageLimit } from '../paging/cursor.js';

/** What an export is written in. */
export const EXPORT_FORMATS = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
  ocsf: 'application/x-ndjson',
} as const;

const leaf = z
  .string()
  .regex(/^\d{1,12}$/, 'a whole number')
  .transform(Number);

/** `GET /v1/audit/export` */
export const exportAudit = contract({
  summary: 'Export the audit log, or follow it.',
  description:
    '`ndjson` without filters is what `wharf-verify` checks: a line for each record with its number, its hash and the record as it was hashed. `csv` is for spreadsheets, `ocsf` has events of the Open Cybersecurity Schema Framework 1.3. With `follow=true` the answer stays open for an hour and goes on as records come; a later request goes on from `from_leaf`.',
  query: z
    .strictObject({
      format: z.enum(['ndjson', 'csv', 'ocsf']).default('ndjson'),
      follow: z.enum(['true', 'false']).default('false'),
      from_leaf: leaf.optional().meta({ description: 'The first record’s number; 0 is the first of all.' }),
      ...auditFilter,
    })
    .superRefine(refuseBackwards),
  answer: {
    status: 200,
    means: 'Records, oldest first, a line each.',
    schema: z.string(),
    mediaType: 'application/x-ndjson',
  },
});

const archiveSchema = z
  .strictObject({
    first_leaf: z.int(),
    end_leaf: z.int().meta({ description: 'The number after its last record; a checkpoint has this size.' }),
    digest: z.string(),
    bytes: z.int(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'AuditArchive' });

/** `GET /v1/audit/archives` */
export const listArchives = contract({
  summary: 'List the archives of records that are older than the plan keeps in the log.',
  query: z.strictObject({ limit: pageLimit(200), cursor: cursorOf(/^\d{1,12}$/) }),
  answer: {
    status: 200,
    means: 'Archives, oldest first; together and with the export they are the whole log.',
    schema: z.strictObject({ archives: z.array(archiveSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/audit/archives/{first_leaf}` */
export const getArchive = contract({
  summary: 'Download an archive.',
  params: z.strictObject({ first_leaf: leaf }),
  answer: {
    status: 200,
    means: 'Compressed NDJSON, which `wharf-verify` checks.',
    schema: z.string(),
    mediaType: 'application/gzip',
  },
});
