import {
  isJSONRPCResultResponse,
  ProtocolError,
  type ClientCapabilities,
  type JSONRPCMessage,
  type Result,
} from '@modelcontextprotocol/client';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { Peer } from './peer.js';

/** A client lacks what a call needs (MCP 2026-07-28, basic, "Error codes"). */
export const MISSING_CAPABILITY = -32_021;
/** Where a result of a kind that the SDK's client does not know travels through it. */
const WRAPPED = 'wharf/result';
const KINDS_OF_SDK = new Set<unknown>([undefined, 'complete', 'input_required']);

/** An answer whose kind comes from an extension, in a form that the SDK's client lets pass. */
export function wrapped(message: JSONRPCMessage): JSONRPCMessage {
  if (!isJSONRPCResultResponse(message) || KINDS_OF_SDK.has(message.result['resultType'])) return message;
  const result: Result = { content: [], resultType: 'complete', [WRAPPED]: message.result };
  return { ...message, result };
}

/** A result as its server sent it. */
export function unwrapped(result: Result): Result {
  return Object.hasOwn(result, WRAPPED) ? (result[WRAPPED] as Result) : result; // put there by `wrapped`
}

/**
 * A result without what only concerns the server and us: its sender, and a kind that is the usual one. How long it may be
 * kept is the 2026 era's; nobody else's client may keep what was answered to this one.
 */
export function forCaller({ resultType, ttlMs, cacheScope, _meta, ...rest }: Result, era: Peer['era']): Result {
  const own = Object.entries({ ..._meta }).filter(([name]) => !name.startsWith('io.modelcontextprotocol/'));
  const modern = era === 'modern';
  return {
    ...rest,
    ...(resultType === undefined || resultType === 'complete' ? {} : { resultType }),
    ...(own.length === 0 ? {} : { _meta: Object.fromEntries(own) }),
    ...(ttlMs === undefined || !modern ? {} : { ttlMs }),
    ...(cacheScope === undefined || !modern ? {} : { cacheScope: 'private' }),
  };
}

/** Refuses a result that asks of a client what it has not declared. @throws ProtocolError */
export function refuseUndeclared(result: Result, capabilities: ClientCapabilities): void {
  const { inputRequests } = result;
  if (result['resultType'] !== 'input_required' || typeof inputRequests !== 'object' || inputRequests === null) return;
  for (const asked of Object.values(inputRequests) as Array<{ method?: unknown } | null>) {
    const missing = missingFor(asked?.method, capabilities);
    if (missing !== undefined) throw missing;
  }
}

/** The error for a client that does not offer what a request of a server needs; undefined where it does. */
export function missingFor(method: unknown, capabilities: ClientCapabilities): ProtocolError | undefined {
  const name = { 'sampling/createMessage': 'sampling', 'elicitation/create': 'elicitation', 'roots/list': 'roots' }[
    String(method)
  ];
  if (name === undefined)
    return new ProtocolError(ERROR_CATALOGUE.internal.jsonRpc, 'The server asks for what no client offers.');
  if (Object.hasOwn(capabilities, name)) return undefined;
  const requiredCapabilities = { [name]: {} };
  const message = `This needs a client that offers ${name}, and this one does not declare it.`;
  return new ProtocolError(MISSING_CAPABILITY, message, { requiredCapabilities });
}
