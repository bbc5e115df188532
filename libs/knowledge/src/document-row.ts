import type { DocumentEntry } from '#libs/protocol';

/** A row of `documents` without its text. */
export interface DocumentRow {
  readonly id: string;
  readonly collection: string;
  readonly name: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly language: string;
  readonly media_type: 'text/markdown' | 'text/plain';
  readonly bytes: number;
  readonly version: number;
  readonly author: DocumentEntry['author'];
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The columns of a `DocumentRow`, of a table named `d`. */
export const ENTRY_COLUMNS = `d.id, d.collection, d.name, d.title, d.tags, d.language, d.media_type, d.bytes, d.version,
  d.author, d.created_at, d.updated_at`;

/** What a writer says of a document. */
export interface DocumentWords {
  readonly collection: string;
  readonly name: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly language: string;
  readonly media_type: 'text/markdown' | 'text/plain';
  readonly text: string;
}

/** Whose documents: every query starts with these, and row-level security holds the tenant besides. */
export interface DocumentShelf {
  readonly tenantId: string;
  readonly serverId: string;
}

/** A row as a worker is told of it. */
export function entryOf(row: DocumentRow): DocumentEntry {
  const { collection, name, title, tags, language, media_type, bytes, version, author, updated_at } = row;
  const { kind, id } = author;
  return {
    collection,
    name,
    title,
    tags,
    language,
    media_type,
    bytes,
    version,
    author: id === undefined ? { kind } : { kind, id },
    updated_at: updated_at.toISOString(),
  };
}
