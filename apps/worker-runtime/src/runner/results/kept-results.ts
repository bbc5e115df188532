import { ProtocolError } from '@modelcontextprotocol/server';
import type { Result } from '@modelcontextprotocol/client';
import { AppError, ERROR_CATALOGUE, type ErrorCode } from '#libs/errors';
import {
  contentOf,
  KEPT_RESULT_BYTES_MAX,
  keptResultSchema,
  partUri,
  readResultSchema,
  resultAt,
  resultUri,
  withContent,
  type ResultQuestion,
} from '#libs/protocol';
import type { Asker, KnowledgeDoor } from '../knowledge/knowledge-door.js';
import type { MountedResults } from './mounted-results.js';

/** Where a part says which it is, of how many, and where the next is read. */
const PART_META = 'wharf/part';
/** What says nothing of the result: it may be read later. */
const LATER: ReadonlySet<ErrorCode> = new Set(['unavailable', 'rate_limited']);

/** An answer that is to be kept; `text` where it is UTF-8. */
export interface LargeAnswer {
  readonly content: Buffer;
  readonly mediaType: string;
  readonly text: boolean;
}

/** Where a kept answer is read, and for how long. */
export interface KeptLink {
  readonly uri: string;
  readonly seconds: number;
}

/** Results of tools that are too large to be shown: kept by whoever made the call, for the one who called. */
export class KeptResults {
  constructor(private readonly door: Pick<KnowledgeDoor, 'pass'>) {}

  /** Has an answer kept; undefined where it cannot be. */
  async keep(asker: Asker, { content, mediaType, text }: LargeAnswer): Promise<KeptLink | undefined> {
    if (content.length > KEPT_RESULT_BYTES_MAX) return undefined;
    const question: ResultQuestion = { ask: 'keep', media_type: mediaType, text };
    try {
      const answer = await this.door.pass(asker, withContent(question, content), 'results');
      const { id, seconds } = keptResultSchema.parse(contentOf(answer)?.head);
      return { uri: resultUri(asker.serverSlug, id), seconds };
    } catch (error) {
      if (error instanceof AppError) return undefined; // the answer is shown cut, as if nobody kept any
      throw error;
    }
  }

  /** Answers a request about resources. @throws ProtocolError for what is not kept, or not for this caller */
  async answer(
    { serverSlug }: MountedResults,
    { method, uri }: { readonly method: string; readonly uri: string },
    { s, signal }: Pick<Asker, 's' | 'signal'>,
  ): Promise<Result> {
    const asked = resultAt(serverSlug, uri);
    if (method !== 'resources/read' || asked === undefined) throw unknownResult(uri);
    const question: ResultQuestion = { ask: 'read', ...asked };
    const answer = await this.door.pass({ s, serverSlug, signal }, withContent(question), 'results').catch(
      // What is not there, is over, or is somebody else's is all the same to its caller.
      (error: unknown) => {
        if (error instanceof AppError && LATER.has(error.code)) throw later(error);
        throw error instanceof AppError ? unknownResult(uri) : error;
      },
    );
    const found = contentOf(answer);
    const { media_type: mimeType, text, parts } = readResultSchema.parse(found?.head);
    const content = found?.content ?? Buffer.alloc(0);
    const shown = text ? { text: content.toString('utf8') } : { blob: content.toString('base64') };
    if (parts === undefined || asked.part === undefined) return { contents: [{ uri, mimeType, ...shown }] };
    const { part } = asked;
    if (part > parts.count) throw unknownPart(uri, part, parts.count);
    const [whole = uri] = uri.split('?');
    const next = part === parts.count ? {} : { next: partUri(whole, part + 1) };
    const told = { part, parts: parts.count, bytes: parts.bytes, ...next };
    return { contents: [{ uri, mimeType, ...shown, _meta: { [PART_META]: told } }] };
  }
}

function later({ code, message }: AppError): ProtocolError {
  return new ProtocolError(ERROR_CATALOGUE[code].jsonRpc, message);
}

function unknownPart(uri: string, part: number, count: number): ProtocolError {
  const message = `This result has no part ${part}: its parts are ?part=1 to ?part=${count}.`;
  return new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, message, { uri });
}

function unknownResult(uri: string): ProtocolError {
  const message =
    `There is no result ${JSON.stringify(uri.slice(0, 300))} here. A result is kept for minutes, for the one who ` +
    'called the tool, at the URL where it was called. Call the tool again.';
  return new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, message, { uri: uri.slice(0, 1_000) });
}
