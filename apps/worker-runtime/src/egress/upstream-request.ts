import type { Agent, Dispatcher } from 'undici';
import { readResponseBody } from './response-body.js';
import { UpstreamFailure, upstreamFailureOf } from './upstream-failure.js';

/** One request as it leaves. */
export interface HopRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** An upstream's answer: decoded body, headers that mean something to the one who asked. */
export interface HopAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Between two hops only, about encodings that are gone by now, or somebody's state. */
const DROPPED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-encoding',
  'content-length',
  'set-cookie',
  'set-cookie2',
]);

/** Sends one request and reads its whole answer; follows nothing. @throws UpstreamFailure */
export async function sendOnce(
  agent: Agent,
  request: HopRequest,
  bytesMax: number,
  signal: AbortSignal,
): Promise<HopAnswer> {
  try {
    const response = await agent.request({
      origin: request.origin,
      path: request.path,
      method: request.method as Dispatcher.HttpMethod, // checked against the methods egress serves
      headers: request.headers,
      body: request.body ?? null,
      signal,
      headersTimeout: 0, // the signal is the deadline of the whole exchange
      bodyTimeout: 0,
    });
    return await readAnswer(response, request.method, bytesMax);
  } catch (error) {
    throw upstreamFailureOf(error, signal);
  }
}

async function readAnswer(response: Dispatcher.ResponseData, method: string, bytesMax: number): Promise<HopAnswer> {
  const declared = Number(response.headers['content-length'] ?? 0);
  if (declared > bytesMax && method !== 'HEAD') {
    response.body.on('error', () => undefined); // destroyed on purpose
    response.body.destroy();
    throw new UpstreamFailure('too_large', `the limit is ${bytesMax} bytes`);
  }
  const encoding = method === 'HEAD' ? undefined : String(response.headers['content-encoding'] ?? '');
  const body = await readResponseBody(response.body, encoding, bytesMax);
  return { status: response.statusCode, headers: keptHeaders(response.headers), body };
}

function keptHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !DROPPED.has(name)) kept[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return kept;
}
