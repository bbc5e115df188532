import { z } from 'zod';
import { event } from './event-kind.js';

const text = z.string();
const count = z.int().min(0);
const document = { server: text, uri: text, version: count, bytes: count };

/** What happens to the documents of knowledge servers; never what they say. */
export const DOCUMENT_EVENTS = {
  'document.created': event('A document was saved for the first time.', document),
  'document.changed': event('A document was written anew.', document),
  'document.deleted': event('A document was deleted.', document),
  'documents.imported': event('Documents were imported, all of them or none.', {
    server: text,
    created: count,
    changed: count,
    unchanged: count,
  }),
} as const;
