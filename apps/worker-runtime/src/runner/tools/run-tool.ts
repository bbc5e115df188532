import type { CallToolResult } from '@modelcontextprotocol/server';
import type { HttpBinding, ToolDefinition } from '#libs/protocol';
import { egressFailureResult } from '../http-answer/egress-failure.js';
import type { Fetcher } from '../http-request/fetcher.js';
import { withNextPage } from '../http-answer/next-page.js';
import { PlacementFault } from '../http-request/place-values.js';
import { errorResult } from '../results/results.js';
import { staleResult } from '../http-answer/stale-result.js';
import type { ToolChecks } from '../checks/tool-checks.js';
import { buildUpstreamRequest } from '../http-request/upstream-request.js';
import { upstreamResult, type Inline } from '../http-answer/upstream-result.js';

/** What running a tool needs to know about it. */
export interface RunnableTool {
  readonly name: string;
  readonly definition: ToolDefinition;
  checks(): Promise<ToolChecks>;
}

/** What a tool runs by. */
export interface RunBy {
  readonly fetcher: Fetcher;
  /** What is shown of an answer; undefined where none can be kept. */
  readonly inline?: Inline | undefined;
  /** Hears when the arguments are not what the schema asks for. */
  readonly onInvalid?: () => void;
}

/**
 * Checks the arguments, makes the upstream request, maps its answer. Everything an agent can act on is an `isError` result.
 */
export async function runTool(
  tool: RunnableTool,
  given: unknown,
  { fetcher, inline, onInvalid }: RunBy,
): Promise<CallToolResult> {
  const checks = await tool.checks();
  const fault = checks.arguments.explainFault(given);
  if (fault !== undefined) {
    onInvalid?.();
    return errorResult(fault);
  }
  const request = prepare(tool, { ...(given as object) }); // the check above lets objects through only
  if ('isError' in request) return request;
  const target = describeTarget(tool.definition.http);
  const answer = await fetcher(request);
  if (answer.kind === 'failed') return egressFailureResult(answer, target);
  const mapped = await upstreamResult(answer, { ...checks, inline }, target);
  const result = withNextPage(mapped, answer, tool.definition, { ...(given as object) }); // an object, as above
  return answer.stale === undefined ? result : staleResult(result, answer.stale);
}

function prepare({ name, definition }: RunnableTool, given: Readonly<Record<string, unknown>>) {
  try {
    return buildUpstreamRequest(definition.http, given);
  } catch (error) {
    if (error instanceof PlacementFault)
      return { ...errorResult(`The arguments of ${name} cannot be sent: ${error.message}`), isError: true };
    throw error;
  }
}

/** How a binding's requests are named in messages; worked out once for each. */
const targets = new WeakMap<HttpBinding, string>();

function describeTarget(binding: HttpBinding): string {
  const known = targets.get(binding);
  if (known !== undefined) return known;
  const target = `${binding.method} ${new URL(binding.urlTemplate.replace(/\{[^{}]*\}/g, 'x')).host}`;
  targets.set(binding, target);
  return target;
}
