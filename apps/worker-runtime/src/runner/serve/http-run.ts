import { ProtocolError, type CallToolResult } from '@modelcontextprotocol/server';
import { AppError, ERROR_CATALOGUE } from '#libs/errors';
import type { PeerCaller } from '../peer/caller-link.js';
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

/** Refuses a state that nobody here gave: a tool that is an HTTP request asks nothing but for logins. @throws ProtocolError */
export function refuseState({ client }: PeerCaller): void {
  if (client?.requestState === undefined) return;
  const message = 'This requestState is not one of a call that waits. Make the call again without requestState.';
  throw new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, message);
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
