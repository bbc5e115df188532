/** JSON-RPC errors with an HTTP status of their own in the 2026 era (MCP 2026-07-28, transports, "Error codes"). */
const STATUS_OF_ERROR: ReadonlyMap<unknown, number> = new Map([
  [-32601, 404],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
]);

/** The HTTP status of a worker's JSON-RPC error. */
export function statusOf(era: 'modern' | 'legacy', rpcCode: number | undefined): number {
  return era === 'legacy' ? 200 : (STATUS_OF_ERROR.get(rpcCode) ?? 200);
}

/** The code of a JSON-RPC error, the only thing that is looked at in a worker's last message. */
export function errorCodeOf(message: Buffer): number | undefined {
  try {
    const parsed = JSON.parse(message.toString('utf8')) as { error?: { code?: unknown } } | null; // any shape ends as a lookup
    const code = parsed?.error?.code;
    return Number.isSafeInteger(code) ? Number(code) : undefined;
  } catch {
    return undefined;
  }
}
