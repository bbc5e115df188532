import { appendAudit } from '#libs/audit';
import { newId, type Transaction } from '#libs/database';
import { AppError, type Problem } from '#libs/errors';
import { documentProblems } from './document-checks.js';
import type { DocumentWords } from './document-row.js';
import { requireRoom } from './room.js';
import type { ServerShelf, Writer } from './write-documents.js';

/** What an import did. */
export interface ImportCounts {
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
}

const PROBLEMS_MAX = 100;

/**
 * Saves many documents, each new or as the next version of the one of its name; what is the same already stays as it is.
 * All of them or none.
 * @throws AppError `unprocessable` with pointers `/{index}/…`; `conflict` without room for them
 */
export async function importDocuments(
  tx: Transaction,
  shelf: ServerShelf,
  documents: readonly DocumentWords[],
  writer: Writer,
): Promise<ImportCounts> {
  requireImportable(documents);
  const { tenantId, serverId, serverSlug } = shelf;
  const rows: Array<{ created: boolean }> = await tx.query(
    `insert into documents as d (tenant_id, id, server_id, collection, name, title, tags, language, media_type, text, bytes, author)
     select $1, r.id, $2, r.collection, r.name, r.title, r.tags, r.language, r.media_type, r.text, r.bytes, $4::jsonb
     from jsonb_to_recordset($3::jsonb) as r(id uuid, collection text, name text, title text, tags text[], language text,
       media_type text, text text, bytes integer)
     on conflict (tenant_id, server_id, collection, name) do update set title = excluded.title, tags = excluded.tags,
       language = excluded.language, media_type = excluded.media_type, text = excluded.text, bytes = excluded.bytes,
       author = excluded.author, version = d.version + 1, updated_at = now()
       where (d.title, d.tags, d.language, d.media_type, d.text)
         is distinct from (excluded.title, excluded.tags, excluded.language, excluded.media_type, excluded.text)
     returning version = 1 as created`,
    [tenantId, serverId, JSON.stringify(documents.map(rowOf)), JSON.stringify(writer.actor)],
  );
  await requireRoom(tx, tenantId);
  const created = rows.filter((row) => row.created).length;
  const counts = { created, changed: rows.length - created, unchanged: documents.length - rows.length };
  const entry = { event: 'documents.imported', details: { server: serverSlug, ...counts } } as const;
  if (rows.length > 0)
    await appendAudit(tx, tenantId, [{ ...entry, target: `server:${serverId}`, outcome: 'ok', ...writer }]);
  return counts;
}

function rowOf(words: DocumentWords): object {
  return { ...words, id: newId(), tags: [...new Set(words.tags)], bytes: Buffer.byteLength(words.text) };
}

function requireImportable(documents: readonly DocumentWords[]): void {
  const first = new Map<string, number>();
  const problems = documents.flatMap((words, index): Problem[] => {
    const place = `${words.collection}/${words.name}`;
    const earlier = first.get(place);
    first.set(place, earlier ?? index);
    const twice = { pointer: `/${index}/name`, message: `${place} is there twice, also at /${earlier}. Remove one.` };
    return [...documentProblems(words, `/${index}`), ...(earlier === undefined ? [] : [twice])];
  });
  if (problems.length === 0) return;
  throw new AppError('unprocessable', {
    message: 'Nothing was imported. Correct the listed documents and send all of them again.',
    problems: problems.slice(0, PROBLEMS_MAX),
  });
}
