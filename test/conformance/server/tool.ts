import type { CallToolResult, McpServer, ServerContext } from '@modelcontextprotocol/server';
import type { Ask } from './ask.js';

/** What a tool is given for one call. */
export interface ToolRun {
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly context: ServerContext;
  readonly mcp: McpServer;
  readonly ask: Ask;
}

/** A tool of the suite's fixture. */
export interface FixtureTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema?: Readonly<Record<string, unknown>>;
  /** Results beside the ordinary one (`task`) travel as the SDK's open result type allows. */
  readonly run: (run: ToolRun) => Promise<object> | object;
}

/** A result of one text. */
export function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] };
}

/** An object's schema. */
export function objectOf(
  properties: Readonly<Record<string, unknown>>,
  required: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) };
}
