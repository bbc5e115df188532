import type { z } from 'zod';
import type { DocumentRow, FullDocument } from '#libs/knowledge';
import { documentUri } from '#libs/protocol';
import type { listDocumentEntries, showDocument } from './documents.schema.js';

type EntryView = z.input<typeof listDocumentEntries.answer.schema>['documents'][number];
type DocumentView = z.input<typeof showDocument.answer.schema>['document'];

/** A document as the API lists it. */
export function entryView(serverSlug: string, row: DocumentRow): EntryView {
  const { id, collection, name, title, tags, language, media_type, bytes, version, author } = row;
  return {
    id,
    uri: documentUri(serverSlug, row),
    collection,
    name,
    title,
    tags: [...tags],
    language,
    media_type,
    bytes,
    version,
    author,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** A document as the API shows it. */
export function documentView(serverSlug: string, row: FullDocument): DocumentView {
  return { ...entryView(serverSlug, row), text: row.text };
}
