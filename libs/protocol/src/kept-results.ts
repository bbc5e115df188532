import { z } from 'zod';

/**
 * What a worker asks its caller about: documents of the tenant, results that are kept for the one who calls, or states of
 * calls that are to be made again; documents where it does not say.
 */
export type AskSubject = 'documents' | 'results' | 'states';

/** Bytes of one answer that may be kept. */
export const KEPT_RESULT_BYTES_MAX = 8 * 1024 * 1024;
/** What a result holds of its tool's answer at most, whatever a plan or a server says. */
export const INLINE_BYTES_MAX = 1024 * 1024;
/** The least that a server may show of an answer. */
export const INLINE_BYTES_MIN = 1024;

/** Bytes of each part of a kept result that is read in parts, but for the last. */
export const RESULT_PART_BYTES = 16 * 1024;

const ID = /^[A-Za-z0-9_-]{32}$/;
const PART = /^(?<id>[^?]*)(?:\?part=(?<part>[1-9]\d{0,3}))?$/;
const HEAD_BYTES_MAX = 4_096;
const LINE_END = 0x0a;

/** Characters of a kept answer's media type. */
export const MEDIA_TYPE_LENGTH_MAX = 255;

const mediaType = z.string().min(1).max(MEDIA_TYPE_LENGTH_MAX);

/** What a worker may ask about kept results; whose they are is never in it. */
export const resultQuestionSchema = z.discriminatedUnion('ask', [
  /** The answer itself follows the question; `text` where it is UTF-8. */
  z.strictObject({ ask: z.literal('keep'), media_type: mediaType, text: z.boolean() }),
  /** `part`: of those that `partsOf` counts, from 1; all of it without. */
  z.strictObject({
    ask: z.literal('read'),
    id: z.string().regex(ID),
    part: z.number().int().positive().optional(),
  }),
]);

/** A question about kept results. */
export type ResultQuestion = z.infer<typeof resultQuestionSchema>;

/** What keeping is answered with. */
export const keptResultSchema = z.object({ id: z.string().regex(ID), seconds: z.number() });

/** What reading is answered with; the content follows it. With `parts`, it is one of so many, of `bytes` together. */
export const readResultSchema = z.object({
  media_type: mediaType,
  text: z.boolean(),
  parts: z.object({ count: z.number(), bytes: z.number() }).optional(),
});

/** How many parts a kept result of so many bytes has. */
export function partsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / RESULT_PART_BYTES));
}

/** A head in JSON and what follows it, as one payload. */
export function withContent(head: object, content: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), content]);
}

/** The head and the content of such a payload; undefined for anything else. */
export function contentOf(payload: Buffer): { readonly head: unknown; readonly content: Buffer } | undefined {
  const end = payload.subarray(0, HEAD_BYTES_MAX).indexOf(LINE_END);
  if (end === -1) return undefined;
  try {
    return { head: JSON.parse(payload.toString('utf8', 0, end)), content: payload.subarray(end + 1) };
  } catch {
    return undefined; // its receiver says so
  }
}

/** The address of a kept result. */
export function resultUri(serverSlug: string, id: string): string {
  return `result://${serverSlug}/${id}`;
}

/** The address of a part of it, counted from 1. */
export function partUri(uri: string, part: number): string {
  return `${uri}?part=${part}`;
}

/** The kept result, or the part of one, that an address names; undefined where it is none of this server's. */
export function resultAt(serverSlug: string, uri: string): { readonly id: string; readonly part?: number } | undefined {
  const before = `result://${serverSlug}/`;
  const { id = '', part } = PART.exec(uri.startsWith(before) ? uri.slice(before.length) : '')?.groups ?? {};
  if (!ID.test(id)) return undefined;
  return part === undefined ? { id } : { id, part: Number(part) };
}
