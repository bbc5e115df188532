import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';
import { withDeadline } from '#libs/resilience';
import { parseJson, readBody } from '#libs/http';
import { requireJsonAndStream, requireJsonBody } from './accept.js';
import type { RequestId } from './exchange.js';

/** Largest MCP message. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const DEPTH_MAX = 64;
const SENDING_MS_MAX = 30_000;
const NAMES = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);
const PARAM_NAMES = new Set(['name', 'uri', 'arguments', '_meta']);

/** A body that is JSON, not yet known to be an MCP message. */
export interface ReceivedMessage {
  readonly payload: Buffer;
  readonly value: unknown;
  /** The id an answer repeats, where the body has a valid one. */
  readonly id: RequestId | undefined;
}

/** Reads a POST's body once, within its bounds of size, depth and time. `answered`: whether its response answers it. @throws AppError */
export async function readMessage(
  request: IncomingMessage,
  answered: 'here' | 'elsewhere' = 'here',
): Promise<ReceivedMessage> {
  if (answered === 'here') requireJsonAndStream(request);
  requireJsonBody(request);
  const deadline = withDeadline(SENDING_MS_MAX);
  try {
    const payload = await readBody(request, MESSAGE_BYTES_MAX, deadline.signal);
    const value = parseJson(payload, { depthMax: DEPTH_MAX, names: 'distinct' });
    requireExactNames(value);
    return { payload, value, id: idOf(value) };
  } finally {
    deadline.done();
  }
}

/** Some readers of JSON ignore case: `Method` beside `method` would be another message to them. @throws AppError */
export function requireExactNames(value: unknown): void {
  refuseVariants(value, NAMES);
  if (typeof value === 'object' && value !== null && 'params' in value) refuseVariants(value.params, PARAM_NAMES);
}

function refuseVariants(value: unknown, names: ReadonlySet<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const name of Object.keys(value)) {
    if (names.has(name) || !names.has(name.toLowerCase())) continue;
    throw new AppError('invalid_request', { message: `Write "${name.toLowerCase()}" in lower case.` });
  }
}

function idOf(value: unknown): RequestId | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
  const { id } = value;
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}
