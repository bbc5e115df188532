import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';
import { classifyMessage } from '../edge/classify.js';
import { withArguments, type Exchange } from '../edge/exchange.js';
import { requireExactNames, type ReceivedMessage } from '../edge/read-message.js';

/** Messages of a batch: each is a call of its own, with its own place in rate and concurrency. */
export const BATCH_MAX = 16;
/** The one revision whose clients may send several messages at once; one that names none may be of it, as its session's worker knows. */
const REVISION = '2025-03-26';

/**
 * The messages of a body that is a list of them (MCP 2025-03-26, transports, "Sending messages"); undefined where it is none.
 * The revisions after that have no batches, and `initialize` is never part of one. @throws AppError
 */
export function readBatch(request: IncomingMessage, { value }: ReceivedMessage): readonly Exchange[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const messages: readonly unknown[] = value;
  const version = request.headers['mcp-protocol-version'] ?? REVISION;
  if (version !== REVISION)
    throw refusal(`Send one JSON-RPC message at a time: only protocol version ${REVISION} has batches.`);
  if (messages.length === 0 || messages.length > BATCH_MAX)
    throw refusal(`A batch has 1 to ${BATCH_MAX} messages, and this one has ${messages.length}.`);
  const exchanges = messages.map((message, index) => read(request, message, index));
  const ids = exchanges.flatMap(({ head }) => (head?.kind === 'request' ? [head.id] : []));
  if (new Set(ids).size < ids.length) throw refusal('Two requests of this batch have the same id. Give each its own.');
  return exchanges;
}

function read(request: IncomingMessage, value: unknown, index: number): Exchange {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refusal(`Message ${index} of the batch is no JSON-RPC message.`);
  requireExactNames(value);
  const exchange = classifyMessage(request, { payload: Buffer.from(JSON.stringify(value)), value, id: undefined });
  if (exchange.era !== 'legacy') throw refusal(`Message ${index} is of a revision without batches. Send it alone.`);
  if (exchange.head?.method === 'initialize') throw refusal('Send "initialize" alone, and a batch after its answer.');
  return withArguments({ ...exchange, batched: true }, value);
}

function refusal(message: string): AppError {
  return new AppError('invalid_request', { message });
}
