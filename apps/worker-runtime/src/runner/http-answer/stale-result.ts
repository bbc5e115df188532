import type { CallToolResult } from '@modelcontextprotocol/server';
import type { StaleMark } from '#libs/protocol';

/** Where a result says that it is an answer from before (MCP 2026-07-28, basic, "`_meta`": prefix and name). */
const STALE_META = 'wharf/stale';

/** A result marked as an answer from before: how old it is, and why no new one could be had. */
export function staleResult(result: CallToolResult, { ageMs, reason }: StaleMark): CallToolResult {
  const mark = { age_seconds: Math.round(ageMs / 1_000), reason };
  return { ...result, _meta: { ...result._meta, [STALE_META]: mark } };
}
