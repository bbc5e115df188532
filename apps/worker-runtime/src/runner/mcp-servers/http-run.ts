import { ProtocolError, type CallToolResult } from '@modelcontextprotocol/server';
import { AppError, ERROR_CATALOGUE } from '#libs/errors';
import type { PeerCaller } from '../peer/caller-link.js';
import type { AnswerGuard } from '../guards/answer-guard.js';
import type { KeptResults, LargeAnswer } from '../results/kept-results.js';
import { runTool } from '../tools/run-tool.js';
import type { EgressPort } from '../egress/egress-port.js';
import type { ToolCall } from './mcp-server.js';

/** What a tool that is an HTTP request runs by. */
export interface HttpRun {
  readonly egress: EgressPort;
  readonly results: KeptResults;
  /** Number of its exchange. */
  readonly s: number;
  readonly deadlineMs: number;
  /** How many bytes of an answer are shown, where what is larger can be kept. */
  readonly inlineBytes: number | undefined;
  /** What may be kept of an answer; undefined where that is all of it. */
  readonly guard: AnswerGuard | undefined;
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
  { egress, results, s, deadlineMs, inlineBytes, guard, onInvalid }: HttpRun,
): Promise<CallToolResult> {
  if (tool.run.kind !== 'http') throw new AppError('internal', { detail: { reason: 'a tool that is no request' } });
  const { definition, serverSlug } = tool.run;
  const fetcher = egress.forCall({ s, digest: tool.digest, tool: tool.definition.name, deadlineMs, signal });
  const run = { name: tool.name, definition, checks: () => tool.checks() };
  const asker = { s, serverSlug, signal };
  const allowed = guard === undefined ? async (answer: LargeAnswer) => answer : guard.kept.bind(guard);
  const inline =
    inlineBytes === undefined ? undefined : { bytes: inlineBytes, allowed, keep: results.keep.bind(results, asker) };
  return runTool(run, given, { fetcher, inline, onInvalid });
}
