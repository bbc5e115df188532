import type { OutcomeClass } from '#libs/protocol';

/** JSON-RPC errors with an HTTP status of their own in the 2026 era (MCP 2026-07-28, transports, "Error codes"). */
const STATUS_OF_ERROR: ReadonlyMap<unknown, number> = new Map([
  [-32601, 404],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
]);

/** The HTTP status of a worker's last message. Only an error's is looked into, and only for its code. */
export function statusOf(era: 'modern' | 'legacy', outcome: OutcomeClass, message: Buffer): number {
  if (era === 'legacy' || outcome !== 'protocol_error') return 200;
  return STATUS_OF_ERROR.get(errorCodeOf(message)) ?? 200;
}

/** The code of a message that is a JSON-RPC error. */
export function errorCodeOf(message: Buffer): unknown {
  try {
    const parsed = JSON.parse(message.toString('utf8')) as { error?: { code?: unknown } } | null; // any shape ends as a lookup
    return parsed?.error?.code;
  } catch {
    return undefined;
  }
}
