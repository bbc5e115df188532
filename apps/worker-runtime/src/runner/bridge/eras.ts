import { ProtocolError, type Result } from '@modelcontextprotocol/client';
import { LOG_LEVEL_META_KEY } from '@modelcontextprotocol/server';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { PeerCaller } from '../peer/caller-link.js';
import type { Peer, PeerRequest } from '../peer/peer.js';
import { missingFor } from '../peer/results.js';

/** Only these may be answered `input_required` (MCP 2026-07-28, MRTR). */
const MAY_ASK = new Set(['tools/call', 'prompts/get', 'resources/read']);
/** What a session hears that has set no level. */
const USUAL_LEVEL = 'info';
/** 2025 era: a resource that is not there; go to this URL first. */
const UNKNOWN_RESOURCE = -32_002;
const URL_REQUIRED = -32_042;

/** A request's caller, and the era of the server that it is for. */
export interface Crossing {
  readonly caller: PeerCaller;
  readonly era: Peer['era'];
  /** Whether the server has log messages to offer. */
  readonly logs: boolean;
}

/** Whether a server may need something of its client before it answers. */
export function mayAsk(method: string): boolean {
  return MAY_ASK.has(method);
}

/** A request as its server's era has it; `level` is the log level that its caller has set. */
export function forPeer({ caller, era, logs }: Crossing, request: PeerRequest, level: unknown): PeerRequest {
  const { client } = caller;
  if (era === 'legacy') return { ...request, needs: 'link' };
  if (client === undefined)
    return { ...request, needs: 'link', ...(logs ? { envelope: { [LOG_LEVEL_META_KEY]: level ?? USUAL_LEVEL } } : {}) };
  const { envelope, inputResponses, requestState } = client;
  const params = {
    ...request.params,
    ...(Object.keys(inputResponses).length === 0 ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  };
  return { ...request, params, envelope, needs: 'caller' };
}

/** A failure as its caller's era has it: an error, or what the client has to do first. @throws */
export function inEraOf(failure: Error, { client }: PeerCaller, { method, params }: PeerRequest): Result {
  if (!(failure instanceof ProtocolError)) throw failure;
  const { code, message, data } = failure;
  if (client === undefined) {
    const unknown = method === 'resources/read' && code === ERROR_CATALOGUE.invalid_params.jsonRpc && hasUri(data);
    throw unknown ? new ProtocolError(UNKNOWN_RESOURCE, message, data) : failure;
  }
  if (method === 'resources/read' && (code === UNKNOWN_RESOURCE || code === ERROR_CATALOGUE.invalid_params.jsonRpc))
    throw new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, message, { uri: params['uri'] });
  if (code !== URL_REQUIRED || !mayAsk(method)) throw failure;
  const missing = missingFor('elicitation/create', client.capabilities);
  if (missing !== undefined) throw missing;
  return { resultType: 'input_required', inputRequests: urlsIn(data) };
}

/** The URLs of a 2025-era error as questions of the 2026 era. */
function urlsIn(data: unknown): Record<string, object> {
  const listed: unknown = (data as { elicitations?: unknown } | undefined)?.elicitations; // any shape ends as no question
  const urls = Array.isArray(listed) ? (listed as Array<{ message?: unknown; url?: unknown }>) : [];
  return Object.fromEntries(
    urls.map(({ message, url }, index) => {
      const params = { mode: 'url', message: String(message), url: String(url) };
      return [`url_${index + 1}`, { method: 'elicitation/create', params }];
    }),
  );
}

function hasUri(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'uri' in data;
}
