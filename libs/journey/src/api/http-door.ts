import type { z } from 'zod';
import { ApiProblem } from './api-problem.js';
import { UnexpectedAnswer } from './unexpected-answer.js';

const ANSWER_MS = 60_000;
/** As long as a large archive takes over a slow line. */
const DOWNLOAD_MS = 2 * 60 * 60_000;

/** One request to the management or operator API. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the public URL, with its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Bytes that are sent as they are. */
export interface Upload {
  readonly path: string;
  readonly mediaType: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

interface Content {
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly mediaType?: string;
}

/** What came back, and to what. */
interface Answer {
  readonly json: unknown;
  readonly request: string;
  readonly requestId: string | null;
}

/** The public HTTP of the platform, with one set of credentials. */
export class HttpDoor {
  constructor(
    readonly publicUrl: string,
    private readonly bearer?: string,
  ) {}

  /** The answer's JSON, undefined where it has none. @throws ApiProblem for any status from 400 */
  async send({ method, path, body }: ApiRequest): Promise<unknown> {
    const content = body === undefined ? {} : { body: JSON.stringify(body), mediaType: 'application/json' };
    return (await this.#send(method, path, content)).json;
  }

  /** The answer as `shape` reads it. @throws ApiProblem for any status from 400, UnexpectedAnswer for another shape */
  async ask<Shape extends z.ZodType>({ method, path, body }: ApiRequest, shape: Shape): Promise<z.output<Shape>> {
    const content = body === undefined ? {} : { body: JSON.stringify(body), mediaType: 'application/json' };
    return understood(await this.#send(method, path, content), shape);
  }

  /** The answer to an upload, as `ask` has it. @throws ApiProblem, UnexpectedAnswer */
  async upload<Shape extends z.ZodType>(upload: Upload, shape: Shape): Promise<z.output<Shape>> {
    const { path, mediaType, content } = upload;
    return understood(await this.#send('POST', path, { body: content, mediaType }), shape);
  }

  /** The bytes of an answer as they come. @throws ApiProblem for any status from 400 */
  async download(path: string): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#fetch('GET', path, {}, DOWNLOAD_MS);
    if (!response.ok || response.body === null) throw problemOf(response, await response.text(), `GET ${path}`);
    return response.body;
  }

  async #send(method: ApiRequest['method'], path: string, content: Content): Promise<Answer> {
    const response = await this.#fetch(method, path, content, ANSWER_MS);
    const text = await response.text();
    const requestId = response.headers.get('x-request-id');
    if (response.ok) return { json: parse(text), request: `${method} ${path}`, requestId };
    throw problemOf(response, text, `${method} ${path}`);
  }

  #fetch(
    method: ApiRequest['method'],
    path: string,
    { body, mediaType }: Content,
    withinMs: number,
  ): Promise<Response> {
    return fetch(`${this.publicUrl}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(this.bearer === undefined ? {} : { authorization: `Bearer ${this.bearer}` }),
        ...(mediaType === undefined ? {} : { 'content-type': mediaType }),
      },
      ...(body === undefined ? {} : { body }),
      redirect: 'error',
      signal: AbortSignal.timeout(withinMs),
    });
  }
}

function understood<Shape extends z.ZodType>({ json, request, requestId }: Answer, shape: Shape): z.output<Shape> {
  const read = shape.safeParse(json);
  if (read.success) return read.data;
  throw new UnexpectedAnswer(request, requestId, read.error.issues);
}

function problemOf({ status }: Response, text: string, what: string): ApiProblem {
  const answer = parse(text);
  return new ApiProblem(status, isObject(answer) ? answer : { detail: text.trim().slice(0, 200) }, what);
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A query string of the parameters that are given, with its question mark. */
export function queryOf(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query.toString()}`;
}
