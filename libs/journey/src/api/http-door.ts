import { ApiProblem } from './api-problem.js';

const ANSWER_MS = 60_000;

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

/** The public HTTP of the platform, with one set of credentials. */
export class HttpDoor {
  constructor(
    readonly publicUrl: string,
    private readonly bearer?: string,
  ) {}

  /** The answer's JSON, undefined where it has none. @throws ApiProblem for any status from 400 */
  async send({ method, path, body }: ApiRequest): Promise<unknown> {
    const content = body === undefined ? {} : { body: JSON.stringify(body), mediaType: 'application/json' };
    return this.#send(method, path, content);
  }

  /** The answer's JSON to an upload. @throws ApiProblem for any status from 400 */
  async upload({ path, mediaType, content }: Upload): Promise<unknown> {
    return this.#send('POST', path, { body: content, mediaType });
  }

  async #send(
    method: ApiRequest['method'],
    path: string,
    { body, mediaType }: { body?: string | Uint8Array<ArrayBuffer>; mediaType?: string },
  ): Promise<unknown> {
    const response = await fetch(`${this.publicUrl}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(this.bearer === undefined ? {} : { authorization: `Bearer ${this.bearer}` }),
        ...(mediaType === undefined ? {} : { 'content-type': mediaType }),
      },
      ...(body === undefined ? {} : { body }),
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await response.text();
    const answer = parse(text);
    if (response.ok) return answer;
    throw new ApiProblem(
      response.status,
      isObject(answer) ? answer : { detail: text.slice(0, 200) },
      `${method} ${path}`,
    );
  }
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
