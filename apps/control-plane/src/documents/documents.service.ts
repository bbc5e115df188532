import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { findBlob } from '#libs/blobs';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { parseJson } from '#libs/http';
import {
  addDocument,
  changeDocument,
  documentUsage,
  getDocument,
  importDocuments,
  lockDocument,
  pageDocuments,
  removeDocument,
  type DocumentWords,
  type FullDocument,
  type ServerShelf,
  type Writer,
} from '#libs/knowledge';
import { actorOf, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { Precondition } from '../contract/precondition.js';
import { pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ServersRepository } from '../servers/servers.repository.js';
import { documentView, entryView } from './document-view.js';
import type {
  changeOneDocument,
  createDocument,
  importMany,
  listDocumentEntries,
  NewDocument,
  showDocument,
} from './documents.schema.js';
import { readImport } from './read-import.js';

type DocumentParams = InputOf<typeof showDocument>['params'];

const settingsSchema = z.object({ knowledge: z.object({ language: z.string() }) });
const MANIFEST_BOUNDS = { depthMax: 512, keysMax: 10_000_000 };
const LANGUAGE = 'simple';

/** A server's documents. */
@Injectable()
export class DocumentsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
  ) {}

  /** @throws AppError `not_found`, `unprocessable`, or `conflict` for a name that is taken or without room for it */
  async create(
    caller: TenantCaller,
    { params, body }: Pick<InputOf<typeof createDocument>, 'params' | 'body'>,
  ): Promise<AnswerOf<typeof createDocument>> {
    return this.#onShelf(caller, params.server, async (tx, shelf) => {
      const words = wordsOf(body, await languageOf(tx, shelf));
      const row = await addDocument(tx, shelf, words, writerOf(caller));
      return { document: documentView(shelf.serverSlug, { ...row, text: words.text }) };
    });
  }

  /** @throws AppError `not_found`, `unprocessable`, or `conflict` without room for them */
  async import(
    caller: TenantCaller,
    { params, body }: Pick<InputOf<typeof importMany>, 'params' | 'body'>,
  ): Promise<AnswerOf<typeof importMany>> {
    const documents = readImport(body.content);
    return this.#onShelf(caller, params.server, async (tx, shelf) => {
      const language = await languageOf(tx, shelf);
      const words = documents.map((document) => wordsOf(document, language));
      return importDocuments(tx, shelf, words, writerOf(caller));
    });
  }

  /** @throws AppError `not_found` */
  async list(
    caller: TenantCaller,
    { params, query }: Pick<InputOf<typeof listDocumentEntries>, 'params' | 'query'>,
  ): Promise<AnswerOf<typeof listDocumentEntries>> {
    return this.#onShelf(caller, params.server, async (tx, shelf) => {
      const rows = await pageDocuments(tx, shelf, { ...query, limit: query.limit + 1 });
      const usage = await documentUsage(tx, caller.tenantId);
      const page = pageOf(rows, query.limit);
      return {
        documents: page.rows.map((row) => entryView(shelf.serverSlug, row)),
        next_cursor: page.next,
        stored: usage.documents,
        stored_max: usage.documents_max,
        stored_bytes: usage.bytes,
        stored_bytes_max: usage.bytes_max,
      };
    });
  }

  /** @throws AppError `not_found` */
  async get(caller: TenantCaller, params: DocumentParams): Promise<AnswerOf<typeof showDocument>> {
    return this.#onShelf(caller, params.server, async (tx, shelf) => {
      const row = await getDocument(tx, shelf, params.document);
      if (row === undefined) throw new AppError('not_found');
      return { document: documentView(shelf.serverSlug, row) };
    });
  }

  /** @throws AppError `not_found`, `unprocessable`, `precondition_failed`, or `conflict` without room for it */
  async change(
    caller: TenantCaller,
    { params, body, precondition }: InputOf<typeof changeOneDocument>,
  ): Promise<AnswerOf<typeof changeOneDocument>> {
    return this.#onShelf(caller, params.server, async (tx, shelf) => {
      const before = await lockKnown(tx, shelf, params.document, precondition);
      const words = changed(before, body);
      const row = await changeDocument(tx, shelf, before, words, writerOf(caller));
      return { document: documentView(shelf.serverSlug, { ...row, text: words.text }) };
    });
  }

  /** @throws AppError `not_found`, `precondition_failed` */
  async remove(caller: TenantCaller, params: DocumentParams, precondition: Precondition): Promise<void> {
    await this.#onShelf(caller, params.server, async (tx, shelf) => {
      const row = await lockKnown(tx, shelf, params.document, precondition);
      await removeDocument(tx, shelf, row, writerOf(caller));
    });
  }

  #onShelf<Result>(
    { tenantId }: TenantCaller,
    slug: string,
    work: (tx: Transaction, shelf: ServerShelf) => Promise<Result>,
  ): Promise<Result> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.find(tx, tenantId, slug);
      if (server === undefined) throw new AppError('not_found');
      return work(tx, { tenantId, serverId: server.id, serverSlug: slug });
    });
  }
}

/** A document, locked, that its caller knows as it is. */
async function lockKnown(
  tx: Transaction,
  shelf: ServerShelf,
  id: string,
  precondition: Precondition,
): Promise<FullDocument> {
  const row = await lockDocument(tx, shelf, id);
  if (row === undefined) throw new AppError('not_found');
  precondition.require({ document: documentView(shelf.serverSlug, row) });
  return row;
}

/** The language of a server's documents that name none: its live release says, or its newest while none is live. */
async function languageOf(tx: Transaction, { tenantId, serverId }: ServerShelf): Promise<string> {
  const [release]: Array<{ digest: string }> = await tx.query(
    `select r.digest from releases r join servers s on s.tenant_id = r.tenant_id and s.id = r.server_id
     where r.tenant_id = $1 and r.server_id = $2 and r.kind = 'knowledge'
     order by r.id is not distinct from s.live_release_id desc, r.number desc limit 1`,
    [tenantId, serverId],
  );
  const manifest = release && (await findBlob(tx, tenantId, release.digest));
  if (manifest === undefined) return LANGUAGE;
  return settingsSchema.parse(parseJson(manifest, MANIFEST_BOUNDS)).knowledge.language;
}

function wordsOf({ title, language, ...document }: NewDocument, usual: string): DocumentWords {
  return { ...document, title: title ?? document.name, language: language ?? usual };
}

function changed(before: DocumentWords, body: InputOf<typeof changeOneDocument>['body']): DocumentWords {
  return {
    collection: before.collection,
    name: before.name,
    title: body.title ?? before.title,
    tags: body.tags ?? before.tags,
    language: body.language ?? before.language,
    media_type: body.media_type ?? before.media_type,
    text: body.text ?? before.text,
  };
}

function writerOf(caller: TenantCaller): Writer {
  return { actor: actorOf(caller), ...caller.origin };
}
