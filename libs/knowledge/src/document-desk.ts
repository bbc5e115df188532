import type { AuditActor } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import {
  COMPLETIONS_MAX,
  DOCUMENT_PAGE,
  knowledgeQuestionSchema,
  type KnowledgeAnswers,
  type KnowledgeQuestion,
} from '#libs/protocol';
import { entryOf } from './document-row.js';
import {
  completeNames,
  findDocument,
  listDocuments,
  lockDocument,
  type DocumentPlace,
  type FullDocument,
} from './documents.js';
import { freeName } from './free-name.js';
import { searchDocuments } from './search-documents.js';
import { addDocument, changeDocument, removeDocument, type ServerShelf, type Writer } from './write-documents.js';

/** Whose question it is and what may be answered: of the caller's own call, never of what the worker says. */
export interface DocumentAccess {
  readonly tenantId: string;
  readonly serverSlug: string;
  readonly reads: boolean;
  readonly writes: boolean;
  /** Who writes, where somebody does. */
  readonly actor: AuditActor;
}

type Ask<Kind extends KnowledgeQuestion['ask']> = Extract<KnowledgeQuestion, { ask: Kind }>;
const WRITING: ReadonlySet<KnowledgeQuestion['ask']> = new Set(['save', 'change', 'forget']);

/**
 * Answers what workers ask about documents: the one door between a worker, which has no database, and its tenant's rows.
 * The tenant and the server come from the call that the worker answers.
 */
export class DocumentDesk {
  constructor(private readonly database: Database) {}

  /** @throws AppError `forbidden`, `not_found`, `invalid_params`, or as writing a document does */
  async answer(access: DocumentAccess, asked: Buffer): Promise<Buffer> {
    const question = readQuestion(asked);
    if (WRITING.has(question.ask) ? !access.writes : !access.reads)
      throw new AppError('forbidden', { message: 'These credentials do not allow this with the documents here.' });
    const { tenantId, serverSlug, actor } = access;
    const answer = await this.database.asTenant(tenantId, async (tx) => {
      const shelf = await shelfOf(tx, tenantId, serverSlug);
      return answerQuestion(tx, shelf, question, { actor });
    });
    return Buffer.from(JSON.stringify(answer));
  }
}

/** Answers what workers ask where no caller's rights count: reading, for a release that is verified or compared. */
export function answerReads(
  database: Database,
): (tenantId: string, serverSlug: string, question: Buffer) => Promise<Buffer> {
  const desk = new DocumentDesk(database);
  const actor = { kind: 'system', id: 'verification' } as const;
  return (tenantId, serverSlug, question) =>
    desk.answer({ tenantId, serverSlug, reads: true, writes: false, actor }, question);
}

function readQuestion(asked: Buffer): KnowledgeQuestion {
  const parsed = knowledgeQuestionSchema.safeParse(readJson(asked));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  throw new AppError('invalid_params', {
    message: `Documents cannot be asked that way. ${issues.slice(0, 5).join(' ')}`,
  });
}

function readJson(asked: Buffer): unknown {
  try {
    return JSON.parse(asked.toString('utf8'));
  } catch {
    return undefined;
  }
}

async function shelfOf(tx: Transaction, tenantId: string, serverSlug: string): Promise<ServerShelf> {
  const rows: Array<{ id: string }> = await tx.query(`select id from servers where tenant_id = $1 and slug = $2`, [
    tenantId,
    serverSlug,
  ]);
  if (rows[0] === undefined) throw new AppError('not_found');
  return { tenantId, serverSlug, serverId: rows[0].id };
}

function answerQuestion(
  tx: Transaction,
  shelf: ServerShelf,
  question: KnowledgeQuestion,
  writer: Writer,
): Promise<KnowledgeAnswers[keyof KnowledgeAnswers]> {
  switch (question.ask) {
    case 'search':
      return search(tx, shelf, question);
    case 'list':
      return list(tx, shelf, question);
    case 'read':
      return read(tx, shelf, question);
    case 'complete':
      return complete(tx, shelf, question);
    case 'save':
      return save(tx, shelf, question, writer);
    case 'change':
      return change(tx, shelf, question, writer);
    case 'forget':
      return forget(tx, shelf, question, writer);
  }
}

async function search(
  tx: Transaction,
  shelf: ServerShelf,
  question: Ask<'search'>,
): Promise<KnowledgeAnswers['search']> {
  const found = await searchDocuments(tx, shelf, question);
  return { found: found.map((row) => ({ ...entryOf(row), snippet: row.snippet, score: row.score })) };
}

async function list(
  tx: Transaction,
  shelf: ServerShelf,
  { collections, after }: Ask<'list'>,
): Promise<KnowledgeAnswers['list']> {
  const rows = await listDocuments(tx, shelf, { collections, after, limit: DOCUMENT_PAGE + 1 });
  return { documents: rows.slice(0, DOCUMENT_PAGE).map(entryOf), more: rows.length > DOCUMENT_PAGE };
}

async function read(tx: Transaction, shelf: ServerShelf, place: DocumentPlace): Promise<KnowledgeAnswers['read']> {
  const row = await findDocument(tx, shelf, place);
  if (row === undefined) throw noDocument(place);
  return { document: { ...entryOf(row), text: row.text } };
}

async function complete(
  tx: Transaction,
  shelf: ServerShelf,
  { of, prefix, collection, ...within }: Ask<'complete'>,
): Promise<KnowledgeAnswers['complete']> {
  const collections = of === 'name' && collection !== undefined ? [collection] : within.collections;
  const values = await completeNames(tx, shelf, { of, prefix, collections, limit: COMPLETIONS_MAX + 1 });
  return { values: values.slice(0, COMPLETIONS_MAX), more: values.length > COMPLETIONS_MAX };
}

async function save(
  tx: Transaction,
  shelf: ServerShelf,
  { ask: _, name, ...words }: Ask<'save'>,
  writer: Writer,
): Promise<KnowledgeAnswers['save']> {
  const place = { collection: words.collection, name: name ?? (await freeName(tx, shelf, words)) };
  const row = await addDocument(tx, shelf, { ...words, ...place, media_type: 'text/markdown' }, writer);
  return { document: entryOf(row) };
}

async function change(
  tx: Transaction,
  shelf: ServerShelf,
  { title, tags, text, version, ...place }: Ask<'change'>,
  writer: Writer,
): Promise<KnowledgeAnswers['change']> {
  const before = await lockAt(tx, shelf, place, version);
  const changes = {
    ...(title === undefined ? {} : { title }),
    ...(tags === undefined ? {} : { tags }),
    ...(text === undefined ? {} : { text }),
  };
  return { document: entryOf(await changeDocument(tx, shelf, before, { ...before, ...changes }, writer)) };
}

async function forget(
  tx: Transaction,
  shelf: ServerShelf,
  { version, ...place }: Ask<'forget'>,
  writer: Writer,
): Promise<KnowledgeAnswers['forget']> {
  await removeDocument(tx, shelf, await lockAt(tx, shelf, place, version), writer);
  return { forgotten: true };
}

/** A document, locked, that is still the version its writer has read. */
async function lockAt(
  tx: Transaction,
  shelf: ServerShelf,
  place: DocumentPlace,
  version: number | undefined,
): Promise<FullDocument> {
  const found = await findDocument(tx, shelf, place);
  const row = found && (await lockDocument(tx, shelf, found.id));
  if (row === undefined) throw noDocument(place);
  if (version === undefined || version === row.version) return row;
  throw new AppError('precondition_failed', {
    message: `The document is version ${row.version} by now, not ${version}. Read it again before you change it.`,
  });
}

function noDocument({ collection, name }: DocumentPlace): AppError {
  return new AppError('not_found', {
    message: `There is no document ${name} in the collection ${collection}. Search for it, or list the resources.`,
  });
}
