import type { Transaction } from '#libs/database';
import { ENTRY_COLUMNS, type DocumentRow, type DocumentShelf } from './document-row.js';

/** What to look for, and where. */
export interface DocumentSearch {
  /** As people write it: words, `"phrases"`, `or`, `-without`. */
  readonly query: string;
  readonly collections?: readonly string[] | undefined;
  /** A document must have them all. */
  readonly tags?: readonly string[] | undefined;
  readonly limit: number;
}

/** A document that was found. */
export interface FoundDocument extends DocumentRow {
  readonly score: number;
  /** Plain text: found words between `**`, and nothing that could be markup of HTML. */
  readonly snippet: string;
}

/** How a query becomes one of PostgreSQL, in a language; the query is `$2`. */
const WORDS = (language: string): string => `websearch_to_tsquery(${language}::regconfig, $2)`;
const BEGINNINGS = (language: string): string => `to_tsquery(${language}::regconfig, $2)`;
type AsQuery = typeof WORDS;

/** Characters that no document has, around what was found. */
const BEFORE = '\u0002';
const AFTER = '\u0003';
const HEADLINE = `StartSel="${BEFORE}", StopSel="${AFTER}", MaxFragments=2, MinWords=8, MaxWords=28, FragmentDelimiter=" … "`;
/** How far into a text a snippet is looked for: making one costs time with every word. */
const SNIPPET_CHARACTERS = 32_768;
const PLAIN_WORDS = /^[\p{L}\p{N}\s]+$/u;

/**
 * The documents of a server that match best, best first. Where no document has the words, those are found that have
 * words which begin so.
 */
export async function searchDocuments(
  tx: Transaction,
  shelf: DocumentShelf,
  search: DocumentSearch,
): Promise<FoundDocument[]> {
  const query = search.query.replaceAll('’', "'"); // as the words are kept
  const found = await find(tx, shelf, { ...search, query }, WORDS);
  if (found.length > 0 || !PLAIN_WORDS.test(search.query)) return found;
  const words = search.query.trim().split(/\s+/u).slice(0, 8);
  return find(tx, shelf, { ...search, query: words.map((word) => `${word}:*`).join(' & ') }, BEGINNINGS);
}

async function find(
  tx: Transaction,
  { tenantId, serverId }: DocumentShelf,
  { query, collections, tags, limit }: DocumentSearch,
  asQuery: AsQuery,
): Promise<FoundDocument[]> {
  if (!(await announceSearch(tx, tenantId, query, asQuery))) return [];
  const rows: FoundDocument[] = await tx.query(
    `with best as (
       select d.id, ts_rank_cd(w.search, q.words, 1) as score
       from document_words w join documents d on d.tenant_id = w.tenant_id and d.id = w.document_id
         cross join lateral (select ${asQuery('d.language')} as words) q
       where w.tenant_id = $1 and w.server_id = $3 and w.search @@ q.words
         and ($4::text[] is null or d.collection = any($4)) and ($5::text[] is null or d.tags @> $5)
       order by score desc, d.id limit $6)
     select ${ENTRY_COLUMNS}, best.score::float8 as score,
       ts_headline(d.language::regconfig, left(d.text, ${SNIPPET_CHARACTERS}), ${asQuery('d.language')}, $7) as snippet
     from best join documents d on d.tenant_id = $1 and d.id = best.id order by best.score desc, d.id`,
    [tenantId, query, serverId, collections ?? null, tags ?? null, limit, HEADLINE],
  );
  return rows.map((row) => ({ ...row, snippet: plainSnippet(row.snippet) }));
}

/**
 * Sets the transaction's search, by which the policy of `document_words` chooses rows and may use the index: what any
 * language of the tenant's documents makes of the query. False for a query without a word to look for, which would set
 * none and so match everything.
 */
async function announceSearch(tx: Transaction, tenantId: string, query: string, asQuery: AsQuery): Promise<boolean> {
  const rows: Array<{ search: string }> = await tx.query(
    `select set_config('app.search', coalesce(string_agg('(' || q.words::text || ')', ' | '), ''), true) as search
     from (select distinct ${asQuery('l.language')} as words
           from document_usage u cross join unnest(u.languages) l(language) where u.tenant_id = $1) q
     where numnode(q.words) > 0`,
    [tenantId, query],
  );
  return (rows[0]?.search ?? '') !== '';
}

/** A snippet that is safe wherever somebody shows it: brackets that open or close markup look alike and are none. */
function plainSnippet(headline: string): string {
  return headline
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replaceAll(BEFORE, '**')
    .replaceAll(AFTER, '**')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}
