import type { IncomingMessage } from 'node:http';
import { withDeadline } from '#libs/resilience';
import { parseJson, readBody } from '#libs/http';
import { requireJsonAndStream, requireJsonBody } from './accept.js';
import type { RequestId } from './exchange.js';

/** Largest MCP message. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const DEPTH_MAX = 64;
const SENDING_MS_MAX = 30_000;

/** A body that is JSON, not yet known to be an MCP message. */
export interface ReceivedMessage {
  readonly payload: Buffer;
  readonly value: unknown;
  /** The id an answer repeats, where the body has a valid one. */
  readonly id: RequestId | undefined;
}

/** Reads a POST's body once, within its bounds of size, depth and time. @throws AppError */
export async function readMessage(request: IncomingMessage): Promise<ReceivedMessage> {
  requireJsonAndStream(request);
  requireJsonBody(request);
  const deadline = withDeadline(SENDING_MS_MAX);
  try {
    const payload = await readBody(request, MESSAGE_BYTES_MAX, deadline.signal);
    const value = parseJson(payload, { depthMax: DEPTH_MAX });
    return { payload, value, id: idOf(value) };
  } finally {
    deadline.done();
  }
}

function idOf(value: unknown): RequestId | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
  const { id } = value;
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}
