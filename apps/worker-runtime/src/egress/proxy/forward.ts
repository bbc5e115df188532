import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Agent, Dispatcher } from 'undici';
import { ServerError } from '../error-class.js';
import { upstreamFailureOf } from '../upstream-failure.js';
import type { ProxyExchange } from './proxy-exchange.js';

/** Between two hops only (RFC 9110, 7.6.1), or ours to set. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
]);

/** One request to pass on. */
export interface Forwarding {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly agent: Agent;
  readonly exchange: ProxyExchange;
}

/** Sends one request on and its answer back, as they come; neither is looked into. @throws UpstreamFailure, and ServerError for a 5xx after it was passed on */
export async function forward(given: Forwarding): Promise<void> {
  const { response, exchange } = given;
  response.once('close', () => {
    if (!response.writableFinished) exchange.end();
  });
  try {
    const answer = await send(given);
    response.writeHead(answer.statusCode, endToEndAnswer(answer.headers));
    await pipeline(answer.body, exchange.counter('received'), response, { signal: exchange.signal });
    if (answer.statusCode >= 500) throw new ServerError();
  } catch (error) {
    if (error instanceof ServerError) throw error;
    throw exchange.brokenBy ?? upstreamFailureOf(error, exchange.signal);
  }
}

function send({ request, url, agent, exchange }: Forwarding): Promise<Dispatcher.ResponseData> {
  return agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: (request.method ?? 'GET') as Dispatcher.HttpMethod, // undici refuses what is no method
    headers: endToEnd(request.rawHeaders),
    body: hasBody(request) ? request.pipe(exchange.counter('sent')) : null,
    signal: exchange.signal,
    headersTimeout: 0, // the exchange has limits of its own
    bodyTimeout: 0,
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Names and values in turn, without those that end at this hop. */
function endToEnd(raw: readonly string[]): string[] {
  const pairs = raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []));
  const named = pairs
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((name) => name.trim());
  return pairs.filter(([name]) => isEndToEnd(name.toLowerCase(), named)).flat();
}

function endToEndAnswer(headers: Dispatcher.ResponseData['headers']): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && isEndToEnd(name, [])) kept[name] = value;
  return kept;
}

function isEndToEnd(name: string, alsoDropped: readonly string[]): boolean {
  return !HOP_BY_HOP.has(name) && !name.startsWith('proxy-') && !alsoDropped.includes(name);
}
