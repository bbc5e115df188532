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

const ID = /^[A-Za-z0-9_-]{32}$/;
const HEAD_BYTES_MAX = 4_096;
const LINE_END = 0x0a;

/** Characters of a kept answer's media type. */
export const MEDIA_TYPE_LENGTH_MAX = 255;

const mediaType = z.string().min(1).max(MEDIA_TYPE_LENGTH_MAX);

/** What a worker may ask about kept results; whose they are is never in it. */
export const resultQuestionSchema = z.discriminatedUnion('ask', [
  /** The answer itself follows the question; `text` where it is UTF-8. */
  z.strictObject({ ask: z.literal('keep'), media_type: mediaType, text: z.boolean() }),
  z.strictObject({ ask: z.literal('read'), id: z.string().regex(ID) }),
]);

/** A question about kept results. */
export type ResultQuestion = z.infer<typeof resultQuestionSchema>;

/** What keeping is answered with. */
export const keptResultSchema = z.object({ id: z.string().regex(ID), seconds: z.number() });

/** What reading is answered with; the content follows it. */
export const readResultSchema = z.object({ media_type: mediaType, text: z.boolean() });

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

/** The id that an address of a server's kept result names; undefined where it is none of this server's. */
export function resultAt(serverSlug: string, uri: string): string | undefined {
  const before = `result://${serverSlug}/`;
  const id = uri.startsWith(before) ? uri.slice(before.length) : '';
  return ID.test(id) ? id : undefined;
}
