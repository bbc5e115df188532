import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { cursorOf, nextCursor, pageLimit } from '../paging/cursor.js';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

const artefactSchema = z
  .strictObject({ digest: z.string(), bytes: z.int(), media_type: z.string(), created_at: z.iso.datetime() })
  .meta({ id: 'Artefact' });

/** `POST /v1/artefacts` */
export const uploadArtefact = contract({
  summary: 'Upload a document or an MCP bundle to build releases from; it is stored under its SHA-256.',
  body: {
    kind: 'bytes',
    bytesMax: 32 * 1024 * 1024,
    mediaTypes: [
      'application/json',
      'application/yaml',
      'application/x-yaml',
      'text/yaml',
      'application/octet-stream',
      'application/zip',
    ],
  },
  answer: {
    status: 201,
    means: 'The document is stored; name it by its digest.',
    schema: z.strictObject({ digest: z.string(), bytes: z.int(), media_type: z.string() }),
  },
  refuses: ['conflict', 'rate_limited'],
});

/** `GET /v1/artefacts` */
export const listArtefacts = contract({
  summary: 'List the uploaded documents, and how much is stored.',
  query: z.strictObject({ limit: pageLimit(200), cursor: cursorOf(DIGEST) }),
  answer: {
    status: 200,
    means: 'Documents, by digest.',
    schema: z.strictObject({
      artefacts: z.array(artefactSchema),
      next_cursor: nextCursor,
      stored_bytes: z.int().meta({ description: 'Bytes of all documents and releases.' }),
      stored_bytes_max: z.int().meta({ description: 'Bytes that may be stored.' }),
    }),
  },
});

/** `DELETE /v1/artefacts/{digest}` */
export const deleteArtefact = contract({
  summary: 'Delete an uploaded document.',
  description:
    'Releases that were built from it stay as they are. What a release itself is made of is deleted with its server.',
  params: z.strictObject({
    digest: z
      .string()
      .regex(DIGEST)
      .meta({ description: 'The document’s digest, `sha256:` and 64 hexadecimal digits.' }),
  }),
  answer: { status: 204, means: 'The document is gone.' },
  refuses: ['conflict'],
});
