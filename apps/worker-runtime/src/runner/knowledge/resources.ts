import { documentUri, type DocumentEntry } from '#libs/protocol';
import type { MountedKnowledge } from './mounted-knowledge.js';

/** A document as `resources/list` and links to resources show it. */
export function resourceOf({ serverSlug }: MountedKnowledge, document: DocumentEntry) {
  const { collection, name, title, tags, media_type: mimeType, bytes: size, updated_at: lastModified } = document;
  return {
    uri: documentUri(serverSlug, document),
    name: `${collection}/${name}`,
    title,
    ...(tags.length === 0 ? {} : { description: `Tags: ${tags.join(', ')}` }),
    mimeType,
    size,
    annotations: { lastModified },
    _meta: writtenBy(document),
  };
}

/** Which version a document is, and who wrote it. */
export function writtenBy({ version, author }: DocumentEntry) {
  return { 'wharf/version': version, 'wharf/author': author };
}
