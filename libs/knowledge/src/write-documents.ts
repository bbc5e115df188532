import { appendAudit, type AuditActor } from '#libs/audit';
import type { Transaction } from '#libs/database';
import { documentUri } from '#libs/protocol';
import { requireSound } from './document-checks.js';
import type { DocumentRow, DocumentShelf, DocumentWords } from './document-row.js';
import { deleteDocument, insertDocument, replaceDocument } from './documents.js';
import { requireRoom } from './room.js';

/** A server's shelf, with the slug that its documents are known under. */
export interface ServerShelf extends DocumentShelf {
  readonly serverSlug: string;
}

/** Who writes, as the audit log names them. */
export interface Writer {
  readonly actor: AuditActor;
  readonly sourceAddress?: string | undefined;
  readonly traceId?: string | undefined;
}

/** Saves a new document. @throws AppError `unprocessable`; `conflict` for a name that is taken, or without room for it */
export async function addDocument(
  tx: Transaction,
  shelf: ServerShelf,
  words: DocumentWords,
  writer: Writer,
): Promise<DocumentRow> {
  requireSound(words);
  const row = await insertDocument(tx, shelf, words, writer.actor);
  await requireRoom(tx, shelf.tenantId);
  await note(tx, shelf, row, writer, 'document.created');
  return row;
}

/** Writes a document that is locked anew. @throws AppError `unprocessable`; `conflict` without room for it */
export async function changeDocument(
  tx: Transaction,
  shelf: ServerShelf,
  before: DocumentRow,
  words: DocumentWords,
  writer: Writer,
): Promise<DocumentRow> {
  requireSound(words);
  const row = await replaceDocument(tx, shelf, before.id, words, writer.actor);
  if (row.bytes > before.bytes) await requireRoom(tx, shelf.tenantId);
  await note(tx, shelf, row, writer, 'document.changed');
  return row;
}

/** Deletes a document that is locked. */
export async function removeDocument(
  tx: Transaction,
  shelf: ServerShelf,
  row: DocumentRow,
  writer: Writer,
): Promise<void> {
  await deleteDocument(tx, shelf, row.id);
  await note(tx, shelf, row, writer, 'document.deleted');
}

async function note(
  tx: Transaction,
  { tenantId, serverSlug }: ServerShelf,
  row: DocumentRow,
  writer: Writer,
  event: 'document.created' | 'document.changed' | 'document.deleted',
): Promise<void> {
  const { bytes, version } = row;
  const details = { server: serverSlug, uri: documentUri(serverSlug, row), version, bytes };
  await appendAudit(tx, tenantId, [{ event, details, target: `document:${row.id}`, outcome: 'ok', ...writer }]);
}
