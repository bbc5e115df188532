import { z } from 'zod';
import { isIdShaped } from '#libs/database';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText } from '../operators/act.js';
import { regionName } from '../platform/regions.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';

/** Bytes of every part but the last. */
export const PART_BYTES = 4 * 1024 * 1024;
const BYTES_MAX = 20 * 1024 ** 3;
const STATES = ['uploading', 'waiting', 'checking', 'writing', 'done', 'failed', 'cancelled'] as const;

const importSchema = z
  .strictObject({
    id: z.uuid(),
    state: z.enum(STATES).meta({
      description:
        '`uploading` until it is begun; `checking` compares every file, `writing` brings the tenant in, in one transaction: ' +
        'of one that `failed` nothing is there.',
    }),
    bytes: z.int(),
    digest: z.string(),
    parts: z.int().meta({ description: `Parts to upload: each of ${PART_BYTES} bytes, but for the last.` }),
    received: z.int().meta({ description: 'Parts that are here.' }),
    next_part: z.int().nullable().meta({ description: 'The first part that is missing, counted from 0.' }),
    slug: z.string().nullable().meta({ description: 'Null for the archive’s own.' }),
    plan: z.string(),
    home_region: z.string().nullable(),
    progress: z.strictObject({ file: z.string().optional(), files: z.int().optional() }),
    failure: z.string().nullable(),
    tenant: z.strictObject({ id: z.uuid(), slug: z.string() }).nullable().meta({ description: 'Once it is there.' }),
    reason: z.string(),
    created_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
    retry_until: z.iso.datetime().nullable().meta({
      description: 'Until when one that failed can be tried again; null where the archive itself was at fault.',
    }),
    expires_at: z.iso.datetime().meta({ description: 'When an upload that was not begun is given up.' }),
  })
  .meta({ id: 'TenantImport' });

const params = z.strictObject({ import: z.uuid() });
const verifierKeys = z
  .array(z.string().max(500))
  .min(1)
  .max(20)
  .meta({ description: 'Verifier keys that are trusted.' });
const tenantSlug = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
  .refine(
    (text) => !isIdShaped(text),
    'This slug is written like an id and would be mistaken for one. Name another one.',
  );
const archiveSecret = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('passphrase'), passphrase: z.string().min(1).max(1_024) }),
    z.strictObject({
      kind: z.literal('private_key'),
      private_key: z.string().min(1).max(4_096).meta({ description: 'X25519, in PEM.' }),
    }),
  ])
  .optional()
  .meta({ description: 'What the archive’s secrets were sealed for; none where they were left out.' });

/** `POST /admin/v1/imports` */
export const createImport = contract({
  summary: 'Say which archive of a tenant is to be uploaded, and what becomes of the tenant here.',
  description:
    'The archive is not believed: its plan, home region, state and limits stay where it comes from. Keys of the installation ' +
    'that made it are what `GET /v1/audit/keys` gives there. At most five are kept at once: uploads for a day, and what failed and can be tried again.',
  body: jsonBody(
    z.strictObject({
      bytes: z.int().min(1).max(BYTES_MAX),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .meta({ description: 'Of the whole archive, in hexadecimal.' }),
      signed_by: verifierKeys,
      slug: tenantSlug.optional().meta({ description: 'Where the archive’s own is taken here.' }),
      plan: z.string().max(32).default('free'),
      home_region: regionName.optional().meta({ description: 'This region unless said.' }),
      reason: reasonText,
    }),
  ),
  answer: { status: 201, means: 'Its parts can be uploaded.', schema: importSchema },
  refuses: ['conflict', 'invalid_params'],
});

/** `GET /admin/v1/imports` */
export const listImports = contract({
  summary: 'List imports of tenants.',
  query: z.strictObject({ state: z.enum(STATES).optional(), limit: pageLimit(100), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'Imports, newest first.',
    schema: z.strictObject({ imports: z.array(importSchema), next_cursor: nextCursor }),
  },
});

/** `GET /admin/v1/imports/{import}` */
export const showImport = contract({
  summary: 'Show how far an import is.',
  params,
  answer: { status: 200, means: 'The import.', schema: importSchema },
});

/** `PUT /admin/v1/imports/{import}/parts/{number}` */
export const uploadPart = contract({
  summary: 'Upload one part of an archive, in any order, and again where the answer was lost.',
  params: z.strictObject({ import: z.uuid(), number: z.coerce.number<string>().int().min(0).max(5_119) }),
  body: { kind: 'bytes', bytesMax: PART_BYTES, mediaTypes: ['application/octet-stream'] },
  answer: { status: 200, means: 'The part is kept.', schema: importSchema },
  refuses: ['conflict'],
});

/** `POST /admin/v1/imports/{import}/begin` */
export const beginImport = contract({
  summary: 'Have the archive checked, and the tenant brought in.',
  description: 'One import at a time. What opens the secrets is kept sealed until it has ended.',
  params,
  body: jsonBody(
    z.strictObject({
      secret: archiveSecret,
      reason: reasonText,
    }),
  ),
  answer: { status: 202, means: 'It waits for its turn.', schema: importSchema },
  refuses: ['conflict'],
});

/** `POST /admin/v1/imports/{import}/retry` */
export const retryImport = contract({
  summary: 'Try an import that failed again, with what was uploaded.',
  description:
    'While `retry_until` is to come. What is left out stays as it was said, but for the secret, which is not kept: send it again.',
  params,
  body: jsonBody(
    z.strictObject({
      signed_by: verifierKeys.optional(),
      slug: tenantSlug.nullable().optional().meta({ description: 'Null for the archive’s own.' }),
      plan: z.string().max(32).optional(),
      home_region: regionName.optional(),
      secret: archiveSecret,
      reason: reasonText,
    }),
  ),
  answer: { status: 202, means: 'It waits for its turn.', schema: importSchema },
  refuses: ['conflict', 'invalid_params'],
});

/** `POST /admin/v1/imports/{import}/cancel` */
export const cancelImport = contract({
  summary:
    'Give an import up that is not done, or that failed; nothing of it is written, and what was uploaded is deleted.',
  params,
  body: jsonBody(z.strictObject({ reason: reasonText })),
  answer: { status: 200, means: 'It is cancelled.', schema: importSchema },
  refuses: ['conflict'],
});
