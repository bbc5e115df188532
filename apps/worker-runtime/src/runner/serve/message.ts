import {
  isInitializeRequest,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server';
import { AppError } from '#libs/errors';
import type { OutcomeClass } from '#libs/protocol';
import { isDeeperThan } from '../checks/nesting.js';
import { refuseFaults } from './request-fault.js';

/** Deepest nesting of a message; every recursive step after this one relies on it. */
const MESSAGE_DEPTH_MAX = 64;

/** An inbound MCP message: a request, or one that is only accepted (notification or response). */
export type InboundMessage =
  | { readonly kind: 'request'; readonly message: JSONRPCRequest }
  | { readonly kind: 'accepted'; readonly message: JSONRPCMessage };

/** The JSON in some bytes, within the bounds of a message. @throws AppError malformed_json, invalid_request */
export function parsePayload(payload: Buffer): unknown {
  const value = parse(payload);
  if (Array.isArray(value))
    throw new AppError('invalid_request', {
      message: 'Send one JSON-RPC message at a time; batches are not supported.',
    });
  if (isDeeperThan(value, MESSAGE_DEPTH_MAX)) {
    throw new AppError('invalid_request', {
      message: `The message is nested deeper than ${MESSAGE_DEPTH_MAX} levels. Send it flatter.`,
    });
  }
  return value;
}

/** The message that some JSON is. @throws AppError invalid_request; RequestFault */
export function readInbound(value: unknown): InboundMessage {
  if (isJSONRPCRequest(value)) {
    refuseFaults(value);
    return { kind: 'request', message: value };
  }
  if (isJSONRPCNotification(value) || isJSONRPCResultResponse(value) || isJSONRPCErrorResponse(value)) {
    return { kind: 'accepted', message: value };
  }
  throw new AppError('invalid_request', {
    message: 'This is not a JSON-RPC 2.0 message. Send jsonrpc, id, method and params.',
  });
}

/** Whether some JSON opens a session of the 2025 era. @throws AppError invalid_request, invalid_params; RequestFault */
export function opensSession(value: unknown): boolean {
  if ((value as { method?: unknown } | null | undefined)?.method !== 'initialize') return false; // any shape ends as a lookup
  const inbound = readInbound(value);
  if (inbound.kind !== 'request') return false;
  if (isInitializeRequest(inbound.message)) return true;
  throw new AppError('invalid_params', {
    message: 'initialize needs protocolVersion, capabilities and clientInfo (name and version).',
  });
}

/** How an exchange that ends with this message went. */
export function outcomeOf(message: JSONRPCMessage): OutcomeClass {
  if (isJSONRPCErrorResponse(message)) return 'protocol_error';
  return isJSONRPCResultResponse(message) && message.result['isError'] === true ? 'tool_error' : 'ok';
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch (error) {
    throw new AppError('malformed_json', { cause: error });
  }
}
