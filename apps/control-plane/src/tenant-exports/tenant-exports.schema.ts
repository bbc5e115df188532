import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';

const secrets = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('passphrase'), passphrase: z.string().min(16).max(1_024) }),
    z.strictObject({
      kind: z.literal('public_key'),
      public_key: z.base64url().length(43).meta({ description: 'An X25519 public key: 32 bytes in base64url.' }),
    }),
    z.strictObject({ kind: z.literal('left_out') }),
  ])
  .meta({
    description:
      'What becomes of secrets and of everything that is sealed with them: sealed anew for who knows a passphrase or has a ' +
      'private key, or left out. They are never in an archive in plain text, and neither the passphrase nor the key is kept.',
  });

const exportSchema = z
  .strictObject({
    id: z.uuid(),
    state: z.enum(['waiting', 'making', 'ready', 'failed', 'expired']),
    secrets: z.enum(['sealed', 'left_out']),
    progress: z.strictObject({
      file: z.string().optional(),
      files: z.int().optional(),
      bytes: z.int().optional(),
    }),
    bytes: z.int().nullable(),
    digest: z.string().nullable().meta({ description: 'SHA-256 of the archive, when it is ready.' }),
    failure: z.string().nullable(),
    created_at: z.iso.datetime(),
    ready_at: z.iso.datetime().nullable(),
    expires_at: z.iso.datetime(),
    download: z.string().nullable().meta({
      description: 'Where the archive is while it is ready, on the API that was asked; operators add `?reason=`.',
    }),
  })
  .meta({ id: 'TenantExport' });

const params = z.strictObject({ export: z.uuid() });
const archive = {
  status: 200,
  means: 'A zip archive, as `npm run import` takes it.',
  schema: z.string(),
  mediaType: 'application/zip',
} as const;
const list = z.strictObject({ exports: z.array(exportSchema), next_cursor: nextCursor });

/** `POST /v1/tenant/exports` */
export const requestExport = contract({
  summary: 'Have one archive made of everything the tenant owns.',
  description:
    'Servers, releases and what they are made of, members, keys, settings, documents, usage, and the audit log with its ' +
    'proofs, all as they were at one moment. It is kept for a week. Only owners may ask for it.',
  body: jsonBody(z.strictObject({ secrets })),
  answer: { status: 202, means: 'It is being made.', schema: exportSchema },
  refuses: ['conflict'],
});

/** `GET /v1/tenant/exports` */
export const listExports = contract({
  summary: 'List the archives that were asked for.',
  query: z.strictObject({ limit: pageLimit(100), cursor: pageCursor }),
  answer: { status: 200, means: 'Exports, newest first.', schema: list },
});

/** `GET /v1/tenant/exports/{export}` */
export const showExport = contract({
  summary: 'Show how far an archive is.',
  params,
  answer: { status: 200, means: 'The export.', schema: exportSchema },
});

/** `GET /v1/tenant/exports/{export}/content` */
export const downloadExport = contract({
  summary: 'Download an archive that is ready.',
  params,
  answer: archive,
  refuses: ['conflict'],
});

/** `POST /admin/v1/tenants/{tenant}/exports` */
export const requestExportOf = contract({
  summary: 'Have one archive made of everything a tenant owns.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ secrets, reason: reasonText })),
  answer: { status: 202, means: 'It is being made.', schema: exportSchema },
  refuses: ['conflict'],
});

/** `GET /admin/v1/tenants/{tenant}/exports` */
export const listExportsOf = contract({
  summary: 'List the archives of a tenant.',
  params: tenantParams,
  query: z.strictObject({ limit: pageLimit(100), cursor: pageCursor }),
  answer: { status: 200, means: 'Exports, newest first.', schema: list },
});

/** `GET /admin/v1/tenants/{tenant}/exports/{export}/content` */
export const downloadExportOf = contract({
  summary: 'Download an archive of a tenant, and say why.',
  params: z.strictObject({ ...tenantParams.shape, export: z.uuid() }),
  query: z.strictObject({ reason: reasonText }),
  answer: archive,
  refuses: ['conflict'],
});
