import type { CallToolResult } from '@modelcontextprotocol/server';
import { AppError } from '#libs/errors';
import { runTool } from '../tools/run-tool.js';
import type { EgressPort } from './egress-port.js';
import type { ToolCall } from './mcp-server.js';

/** What a tool that is an HTTP request runs by. */
export interface HttpRun {
  readonly egress: EgressPort;
  /** Number of its exchange. */
  readonly s: number;
  readonly deadlineMs: number;
  /** Hears of arguments that do not fit. */
  readonly onInvalid: () => void;
}

/** Runs a tool that is an HTTP request. @throws LoginNeeded */
export async function runHttpTool(
  { tool, arguments: given, signal }: ToolCall,
  { egress, s, deadlineMs, onInvalid }: HttpRun,
): Promise<CallToolResult> {
  if (tool.run.kind !== 'http') throw new AppError('internal', { detail: { reason: 'a tool that is no request' } });
  const { definition } = tool.run;
  const fetcher = egress.forCall({ s, digest: tool.digest, tool: tool.definition.name, deadlineMs, signal });
  const run = { name: tool.name, definition, checks: () => tool.checks() };
  return runTool(run, given, fetcher, onInvalid);
}
