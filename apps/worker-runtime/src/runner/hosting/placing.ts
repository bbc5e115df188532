import { ProtocolError, type Result } from '@modelcontextprotocol/client';
import { LOG_LEVEL_META_KEY } from '@modelcontextprotocol/server';
import { ERROR_CATALOGUE } from '#libs/errors';
import { canonicalJson, sha256Digest, type Bundle } from '#libs/protocol';
import { CallDesk, type DeskHearing } from '../bridge/call-desk.js';
import type { PeerCaller } from '../peer/caller-link.js';
import { passedOn } from '../peer/open-client.js';
import type { Peer, PeerRequest } from '../peer/peer.js';
import { missingFor } from '../peer/results.js';
import type { HostedServer } from './hosted-server.js';
import type { SeatOwner } from './seats.js';
import type { StdioFailure } from './stdio-failure.js';

/** A request's server and caller, and the era that its process speaks. */
export interface Placed {
  readonly hosted: HostedServer;
  readonly caller: PeerCaller;
  readonly era: Peer['era'];
  /** Names server and caller. */
  readonly place: string;
}

/** Only these may be answered `input_required` (MCP 2026-07-28, MRTR). */
const MAY_ASK = new Set(['tools/call', 'prompts/get', 'resources/read']);
const LANES_MAX = 64;
/** What a session hears that has set no level. */
const USUAL_LEVEL = 'info';
/** 2025 era: a resource that is not there; go to this URL first. */
const UNKNOWN_RESOURCE = -32_002;
const URL_REQUIRED = -32_042;

/** Whether a server may need something of its client before it answers. */
export function mayAsk(method: string): boolean {
  return MAY_ASK.has(method);
}

/** Which era a caller's process speaks: its caller's, where the server speaks that. */
export function eraFor({ era }: Bundle, { client }: PeerCaller): Peer['era'] {
  if (era !== 'both') return era;
  return client === undefined ? 'legacy' : 'modern';
}

/**
 * Whose seat a request takes. A server of the 2025 era is told once what its client can do, so clients of the 2026 era
 * that can do different things have processes of their own; `taken` says which seats this request must not share.
 */
export function seatFor(
  { caller, era, place }: Placed,
  taken: (key: string) => boolean,
  hearing: DeskHearing,
): SeatOwner {
  const owner = { key: place, place, caller: caller.name };
  if (caller.client === undefined) return { ...owner, desk: undefined };
  if (era === 'modern') return { ...owner, desk: new CallDesk({}, hearing) };
  const able = passedOn(caller.client.capabilities);
  const kind = Object.keys(able).length === 0 ? place : `${place} ${sha256Digest(canonicalJson(able))}`;
  let lane = 0;
  while (lane < LANES_MAX && taken(`${kind} ${lane}`)) lane += 1;
  return { ...owner, key: `${kind} ${lane}`, desk: new CallDesk(able, hearing) };
}

/** A request as its server's era has it; `level` is the log level that its caller has set. */
export function forPeer({ hosted, caller, era }: Placed, request: PeerRequest, level: unknown): PeerRequest {
  const { client } = caller;
  if (era === 'legacy') return { ...request, needs: 'link' };
  if (client === undefined) {
    const logs = hosted.bundle.offers?.logging !== undefined;
    return { ...request, needs: 'link', ...(logs ? { envelope: { [LOG_LEVEL_META_KEY]: level ?? USUAL_LEVEL } } : {}) };
  }
  const { envelope, inputResponses, requestState } = client;
  const params = {
    ...request.params,
    ...(Object.keys(inputResponses).length === 0 ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  };
  return { ...request, params, envelope, needs: 'caller' };
}

/** A failure as its caller's era has it: an error, or what the client has to do first. @throws */
export function inEraOf(
  failure: ProtocolError | StdioFailure,
  { client }: PeerCaller,
  { method, params }: PeerRequest,
): Result {
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
