import type { AuditActor } from '#libs/audit';
import { isUniqueViolation, newId, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { DOCUMENT_PAGE } from '#libs/protocol';
import { ENTRY_COLUMNS, type DocumentRow, type DocumentShelf, type DocumentWords } from './document-row.js';

/** Where a document stands in its server. */
export interface DocumentPlace {
  readonly collection: string;
  readonly name: string;
}

/** A document with its text. */
export type FullDocument = DocumentRow & { readonly text: string };

/** Which documents of a server are listed, after which one. */
export interface DocumentFilter {
  readonly collections?: readonly string[] | undefined;
  readonly after?: DocumentPlace | undefined;
  readonly limit?: number | undefined;
}

/** A server's documents in the order of their collections and names, which only they decide. */
export async function listDocuments(
  tx: Transaction,
  { tenantId, serverId }: DocumentShelf,
  { collections, after, limit = DOCUMENT_PAGE }: DocumentFilter,
): Promise<DocumentRow[]> {
  return tx.query(
    `select ${ENTRY_COLUMNS} from documents d where d.tenant_id = $1 and d.server_id = $2
       and ($3::text[] is null or d.collection = any($3)) and ($4::text is null or (d.collection, d.name) > ($4, $5))
     order by d.collection, d.name limit $6`,
    [tenantId, serverId, collections ?? null, after?.collection ?? null, after?.name ?? null, limit],
  );
}

/** A document with its text; undefined where there is none of this name. */
export async function findDocument(
  tx: Transaction,
  { tenantId, serverId }: DocumentShelf,
  { collection, name }: DocumentPlace,
): Promise<FullDocument | undefined> {
  const rows: Array<FullDocument> = await tx.query(
    `select ${ENTRY_COLUMNS}, d.text from documents d
     where d.tenant_id = $1 and d.server_id = $2 and d.collection = $3 and d.name = $4`,
    [tenantId, serverId, collection, name],
  );
  return rows[0];
}

/** A document by its id, with its text; undefined where the server has none. */
export async function getDocument(
  tx: Transaction,
  { tenantId, serverId }: DocumentShelf,
  id: string,
): Promise<FullDocument | undefined> {
  const rows: FullDocument[] = await tx.query(
    `select ${ENTRY_COLUMNS}, d.text from documents d where d.tenant_id = $1 and d.server_id = $2 and d.id = $3`,
    [tenantId, serverId, id],
  );
  return rows[0];
}

/** A server's documents in the order in which they were created. */
export async function pageDocuments(
  tx: Transaction,
  { tenantId, serverId }: DocumentShelf,
  page: {
    readonly limit: number;
    readonly cursor?: string | undefined;
    readonly collection?: string | undefined;
    readonly tag?: string | undefined;
  },
): Promise<DocumentRow[]> {
  return tx.query(
    `select ${ENTRY_COLUMNS} from documents d where d.tenant_id = $1 and d.server_id = $2
       and ($3::uuid is null or d.id > $3) and ($4::text is null or d.collection = $4)
       and ($5::text is null or $5 = any(d.tags)) order by d.id limit $6`,
    [tenantId, serverId, page.cursor ?? null, page.collection ?? null, page.tag ?? null, page.limit],
  );
}

/** The same by its id, locked until the transaction ends. */
export async function lockDocument(
  tx: Transaction,
  { tenantId, serverId }: DocumentShelf,
  id: string,
): Promise<FullDocument | undefined> {
  const rows: Array<FullDocument> = await tx.query(
    `select ${ENTRY_COLUMNS}, d.text from documents d where d.tenant_id = $1 and d.server_id = $2 and d.id = $3 for update`,
    [tenantId, serverId, id],
  );
  return rows[0];
}

/** Adds a document. @throws AppError `conflict` where its collection has one of this name */
export async function insertDocument(
  tx: Transaction,
  { tenantId, serverId }: DocumentShelf,
  words: DocumentWords,
  author: AuditActor,
): Promise<DocumentRow> {
  try {
    const rows: [DocumentRow] = await tx.query(
      `insert into documents as d (tenant_id, id, server_id, collection, name, title, tags, language, media_type, text, bytes, author)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning ${ENTRY_COLUMNS}`,
      [tenantId, newId(), serverId, ...valuesOf(words), author],
    );
    return rows[0];
  } catch (error) {
    if (!isUniqueViolation(error, 'documents_name_key')) throw error;
    throw new AppError('conflict', {
      message: `The collection ${words.collection} has a document ${words.name} already. Choose another name, or update it.`,
    });
  }
}

/** Writes a document anew, as its next version. */
export async function replaceDocument(
  tx: Transaction,
  { tenantId }: DocumentShelf,
  id: string,
  words: DocumentWords,
  author: AuditActor,
): Promise<DocumentRow> {
  const [rows]: [DocumentRow[]] = await tx.query(
    `update documents d set collection = $3, name = $4, title = $5, tags = $6, language = $7, media_type = $8, text = $9,
       bytes = $10, author = $11, version = d.version + 1, updated_at = now()
     where d.tenant_id = $1 and d.id = $2 returning ${ENTRY_COLUMNS}`,
    [tenantId, id, ...valuesOf(words), author],
  );
  if (rows[0] === undefined) throw new AppError('not_found');
  return rows[0];
}

/** Deletes a document with its words. */
export async function deleteDocument(tx: Transaction, { tenantId }: DocumentShelf, id: string): Promise<void> {
  await tx.query(`delete from documents where tenant_id = $1 and id = $2`, [tenantId, id]);
}

/** The names of a server's collections, or of documents, that begin so; one more than may be shown tells of others. */
export async function completeNames(
  tx: Transaction,
  { tenantId, serverId }: DocumentShelf,
  wanted: {
    readonly of: 'collection' | 'name';
    readonly prefix: string;
    readonly collections?: readonly string[] | undefined;
    readonly limit: number;
  },
): Promise<string[]> {
  const { of: column, prefix, collections, limit } = wanted;
  const rows: Array<{ value: string }> = await tx.query(
    `select distinct d.${column} as value from documents d
     where d.tenant_id = $1 and d.server_id = $2 and starts_with(d.${column}, $3)
       and ($4::text[] is null or d.collection = any($4)) order by 1 limit $5`,
    [tenantId, serverId, prefix, collections ?? null, limit],
  );
  return rows.map(({ value }) => value);
}

function valuesOf({ collection, name, title, tags, language, media_type, text }: DocumentWords): unknown[] {
  const own = [...new Set(tags)];
  return [collection, name, title, own, language, media_type, text, Buffer.byteLength(text)];
}
