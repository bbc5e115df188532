import { z } from 'zod';
import { DOCUMENT_BYTES_MAX, documentShape } from '#libs/protocol';
import { contract, jsonBody } from '../contract/contract.js';
import { searchText } from '../contract/text.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';
import { serverParams } from '../servers/servers.schema.js';

const text = documentShape.text.meta({ description: `Up to ${DOCUMENT_BYTES_MAX} bytes of UTF-8.` });

const entryShape = {
  id: z.uuid(),
  uri: z.string().meta({ description: 'The address that agents read it by; it stays.' }),
  collection: z.string(),
  name: z.string(),
  title: z.string(),
  tags: z.array(z.string()),
  language: z.string().meta({ description: 'The text search configuration that its words are found by.' }),
  media_type: documentShape.media_type,
  bytes: z.int(),
  version: z.int(),
  author: z
    .looseObject({ kind: z.string(), id: z.string().optional() })
    .meta({ description: 'Who wrote this version, as in the audit log.' }),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
};

const entrySchema = z.strictObject(entryShape).meta({ id: 'DocumentEntry' });
const documentSchema = z.strictObject({ ...entryShape, text: z.string() }).meta({ id: 'Document' });
const oneDocument = z.strictObject({ document: documentSchema });
const documentParams = serverParams.extend({ document: z.uuid() });

const language = documentShape.language
  .optional()
  .meta({ description: 'Without it, that of the live release, or of the newest while none is live.' });

/** One document of an import, or one that is created. */
const newDocument = z.strictObject({
  collection: documentShape.collection.default('notes'),
  name: documentShape.name,
  title: documentShape.title.optional().meta({ description: 'Without it, the name.' }),
  tags: documentShape.tags.default([]),
  language,
  media_type: documentShape.media_type.default('text/markdown'),
  text,
});

/** A document as somebody sends it. */
export type NewDocument = z.output<typeof newDocument>;

/** `POST /v1/servers/{server}/documents` */
export const createDocument = contract({
  summary: 'Save a document, for the agents of a knowledge server to find and read.',
  description: 'Agents see it at once; no release is needed. Characters that nobody sees are refused.',
  params: serverParams,
  body: jsonBody(newDocument),
  etag: 'shown',
  answer: { status: 201, means: 'The document.', schema: oneDocument },
  refuses: ['conflict', 'unprocessable'],
});

/** `GET /v1/servers/{server}/documents` */
export const listDocumentEntries = contract({
  summary: 'List a server’s documents, without their texts, and how much is stored.',
  params: serverParams,
  query: z.strictObject({
    limit: pageLimit(500),
    cursor: pageCursor,
    collection: documentShape.collection.optional(),
    tag: searchText(64).optional(),
  }),
  answer: {
    status: 200,
    means: 'Documents, oldest first.',
    schema: z.strictObject({
      documents: z.array(entrySchema),
      next_cursor: nextCursor,
      stored: z.int().meta({ description: 'Documents of all the tenant’s servers.' }),
      stored_max: z.int().meta({ description: 'Documents that the plan has room for.' }),
      stored_bytes: z.int(),
      stored_bytes_max: z.int(),
    }),
  },
});

/** `GET /v1/servers/{server}/documents/{document}` */
export const showDocument = contract({
  summary: 'Show one document with its text.',
  params: documentParams,
  etag: 'shown',
  answer: { status: 200, means: 'The document.', schema: oneDocument },
});

/** `PATCH /v1/servers/{server}/documents/{document}` */
export const changeOneDocument = contract({
  summary: 'Write a document anew; what is left out stays.',
  description:
    'Its collection and name stay, and its address with them. Send the ETag as If-Match to be safe from others.',
  params: documentParams,
  body: jsonBody(
    z
      .strictObject({
        title: documentShape.title,
        tags: documentShape.tags,
        language: documentShape.language,
        media_type: documentShape.media_type,
        text,
      })
      .partial(),
  ),
  etag: 'compared',
  answer: { status: 200, means: 'The document.', schema: oneDocument },
  refuses: ['conflict', 'unprocessable'],
});

/** `DELETE /v1/servers/{server}/documents/{document}` */
export const deleteOneDocument = contract({
  summary: 'Delete a document for good.',
  params: documentParams,
  etag: 'compared',
  answer: { status: 204, means: 'The document is gone.' },
});

/** `POST /v1/servers/{server}/documents/import` */
export const importMany = contract({
  summary: 'Save many documents at once: all of them or none.',
  description:
    'The body is NDJSON: on each line a document as `POST …/documents` takes it, at most 500 lines and 8 MiB. A document ' +
    'whose collection and name are there already is written anew; one that says the same stays as it is.',
  params: serverParams,
  body: { kind: 'bytes', bytesMax: 8 * 1024 * 1024, mediaTypes: ['application/x-ndjson'] },
  answer: {
    status: 200,
    means: 'What was done.',
    schema: z.strictObject({ created: z.int(), changed: z.int(), unchanged: z.int() }),
  },
  refuses: ['conflict', 'unprocessable'],
});

/** The schema of a line of an import. */
export const importLine = newDocument;
