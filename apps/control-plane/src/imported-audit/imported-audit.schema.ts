import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { cursorOf, nextCursor, pageLimit } from '../paging/cursor.js';

const PATH = /^audit\/[a-z0-9][a-z0-9./-]{0,200}$/;

/** `GET /v1/audit/imported` */
export const listImportedFiles = contract({
  summary: 'List the files of the audit log that the tenant had at another installation.',
  description:
    'A tenant that was imported brings its log along as it was, with its proofs, under the id of the export that it came ' +
    'with. `wharf-verify` checks `key.txt`, `records.ndjson` and `checkpoint.txt` of one. Its log here is another one.',
  query: z.strictObject({ limit: pageLimit(500, 500), cursor: cursorOf(PATH) }),
  answer: {
    status: 200,
    means: 'The files by path.',
    schema: z.strictObject({
      files: z.array(z.strictObject({ path: z.string(), bytes: z.int() }).meta({ id: 'ImportedAuditFile' })),
      next_cursor: nextCursor,
    }),
  },
});

/** `GET /v1/audit/imported/content` */
export const getImportedFile = contract({
  summary: 'Download a file of the audit log that the tenant had at another installation.',
  query: z.strictObject({ path: z.string().max(210).regex(PATH) }),
  answer: { status: 200, means: 'The file.', schema: z.string(), mediaType: 'application/octet-stream' },
  refuses: ['not_found'],
});
