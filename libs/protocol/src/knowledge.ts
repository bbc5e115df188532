import { z } from 'zod';

/** Name of a collection of documents. */
export const COLLECTION = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
/** Name of a document within its collection: like a path, so that folders can be pushed as they are. */
export const DOCUMENT_NAME = /^(?=.{1,200}$)[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
/** What documents are found by beside their words: one short line of visible characters. */
export const DOCUMENT_TAG = /^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]{0,62}[^\s\p{C}])?$/u;
/** One line without characters that control anything. */
export const LINE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u;

/** PostgreSQL's text search configurations; `simple` knows no language and finds words as they are. */
export const DOCUMENT_LANGUAGES = [
  'simple',
  'arabic',
  'armenian',
  'basque',
  'catalan',
  'danish',
  'dutch',
  'english',
  'finnish',
  'french',
  'german',
  'greek',
  'hindi',
  'hungarian',
  'indonesian',
  'irish',
  'italian',
  'lithuanian',
  'nepali',
  'norwegian',
  'portuguese',
  'romanian',
  'russian',
  'serbian',
  'spanish',
  'swedish',
  'tamil',
  'turkish',
  'yiddish',
] as const;

/** Bytes of one document's text, in UTF-8. */
export const DOCUMENT_BYTES_MAX = 256 * 1024;
/** Documents that a search finds at most. */
export const DOCUMENTS_FOUND_MAX = 20;
/** Documents on one page of a list. */
export const DOCUMENT_PAGE = 100;
/** Values of a completion at most (MCP, completion). */
export const COMPLETIONS_MAX = 100;

const collection = z.string().regex(COLLECTION, 'Small letters, digits and `-`, at most 64.');
const name = z.string().regex(DOCUMENT_NAME, 'Letters, digits, `.`, `_`, `-` and `/` between parts, at most 200.');
const title = z.string().trim().min(1).max(200).regex(LINE, 'One line without control characters.');
const tags = z.array(z.string().regex(DOCUMENT_TAG, 'One line of visible characters, at most 64.')).max(20);
const language = z.enum(DOCUMENT_LANGUAGES);

/** What a document says of itself, each with its bounds. */
export const documentShape = {
  collection,
  name,
  title,
  tags,
  language,
  media_type: z.enum(['text/markdown', 'text/plain']),
  text: z.string().max(DOCUMENT_BYTES_MAX),
} as const;

const within = { collections: z.array(collection).max(64).optional() };
const place = z.strictObject({ collection, name });

/** What a knowledge server's worker may ask about the documents of its own server; whose they are is never in it. */
export const knowledgeQuestionSchema = z.discriminatedUnion('ask', [
  z.strictObject({
    ask: z.literal('search'),
    query: z.string().min(1).max(1_000).regex(LINE),
    tags: tags.optional(),
    limit: z.int().min(1).max(DOCUMENTS_FOUND_MAX),
    ...within,
  }),
  z.strictObject({ ask: z.literal('list'), after: place.optional(), ...within }),
  z.strictObject({ ask: z.literal('read'), ...place.shape }),
  z.strictObject({
    ask: z.literal('complete'),
    of: z.enum(['collection', 'name']),
    prefix: z.string().max(200).regex(LINE),
    /** Only names in this one. */
    collection: collection.optional(),
    ...within,
  }),
  z.strictObject({
    ask: z.literal('save'),
    collection,
    name: name.optional(),
    title,
    tags,
    language,
    text: documentShape.text,
  }),
  z.strictObject({
    ask: z.literal('change'),
    ...place.shape,
    title: title.optional(),
    tags: tags.optional(),
    text: documentShape.text.optional(),
    version: z.int().min(1).optional(),
  }),
  z.strictObject({ ask: z.literal('forget'), ...place.shape, version: z.int().min(1).optional() }),
]);

/** A question about documents. */
export type KnowledgeQuestion = z.infer<typeof knowledgeQuestionSchema>;

/** A document without its text. */
export interface DocumentEntry {
  readonly collection: string;
  readonly name: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly language: string;
  readonly media_type: string;
  readonly bytes: number;
  readonly version: number;
  /** Who wrote it last: kind and id, as in the audit log. */
  readonly author: { readonly kind: string; readonly id?: string };
  readonly updated_at: string;
}

/** What each question is answered with. */
export interface KnowledgeAnswers {
  /** `snippet` is plain text: found words between `**`, nothing in it that could be markup of HTML. */
  readonly search: {
    readonly found: ReadonlyArray<DocumentEntry & { readonly snippet: string; readonly score: number }>;
  };
  readonly list: { readonly documents: readonly DocumentEntry[]; readonly more: boolean };
  readonly read: { readonly document: DocumentEntry & { readonly text: string } };
  readonly complete: { readonly values: readonly string[]; readonly more: boolean };
  readonly save: { readonly document: DocumentEntry };
  readonly change: { readonly document: DocumentEntry };
  readonly forget: { readonly forgotten: true };
}

/** What a tool of a knowledge server does. */
export const KNOWLEDGE_TOOLS = ['search', 'read', 'remember', 'update', 'forget'] as const;
export type KnowledgeTool = (typeof KNOWLEDGE_TOOLS)[number];

/** What a release of a knowledge server decides; its documents change without one. */
export const knowledgeSettingsSchema = z.strictObject({
  language: language.default('simple').describe('The language of documents that do not name their own.'),
  collections: z
    .array(
      z.strictObject({
        name: collection,
        description: z.string().min(1).max(500).optional().describe('What agents are told that it holds.'),
      }),
    )
    .min(1)
    .max(64)
    .optional()
    .describe('The collections that agents see. Without it, all there are.'),
  memory: z
    .boolean()
    .default(false)
    .describe(
      'Whether agents may write: tools that remember, update and forget. The server must let agents write too.',
    ),
});

/** Settings of a knowledge server, complete. */
export type KnowledgeSettings = z.infer<typeof knowledgeSettingsSchema>;

/** What an open stream is told when documents of a server that it shows have changed; null: too many to name. */
export interface DocumentChange {
  readonly serverSlug: string;
  readonly uris: readonly string[] | null;
}

/** The address of a document, which stays its own for as long as it exists. */
export function documentUri(serverSlug: string, at: { readonly collection: string; readonly name: string }): string {
  return `knowledge://${serverSlug}/${at.collection}/${at.name}`;
}

/** The place that an address of a server's names; undefined where it is none of this server's. */
export function documentAt(serverSlug: string, uri: string): { collection: string; name: string } | undefined {
  const before = `knowledge://${serverSlug}/`;
  if (!uri.startsWith(before)) return undefined;
  const [first = '', ...rest] = uri.slice(before.length).split('/');
  const parsed = place.safeParse({ collection: first, name: rest.join('/') });
  return parsed.success ? parsed.data : undefined;
}
