/** Names of MCP clients as they introduce themselves, and what is written for them: callers choose names, labels stay few. */
const FAMILIES: ReadonlyArray<readonly [RegExp, string]> = [
  [/claude[- ]?code/i, 'claude-code'],
  [/claude|anthropic/i, 'claude'],
  [/cursor/i, 'cursor'],
  [/visual studio code|vscode|vs code|copilot/i, 'vscode'],
  [/codex/i, 'codex'],
  [/chatgpt|openai/i, 'openai'],
  [/gemini/i, 'gemini'],
  [/windsurf|codeium/i, 'windsurf'],
  [/\bzed\b/i, 'zed'],
  [/cline|roo/i, 'cline'],
  [/goose/i, 'goose'],
  [/jetbrains|intellij|junie/i, 'jetbrains'],
  [/langchain|langgraph|llamaindex|crewai|mastra/i, 'framework'],
  [/inspector/i, 'inspector'],
];
const NAME_LENGTH_MAX = 64;

/** What is written for a client that nobody knows, and for one that did not say its name. */
export const OTHER_CLIENT = 'other';
const MODERN_MEMBER = 'io.modelcontextprotocol/clientInfo';

/**
 * The family of the client that sent a message, where the message tells: `initialize` does in the 2025 era
 * (`clientInfo`), every request in the 2026 era (`_meta`).
 */
export function clientFamilyOf(method: string, params: unknown): string | undefined {
  if (typeof params !== 'object' || params === null) return undefined;
  const { clientInfo, _meta } = params as { clientInfo?: unknown; _meta?: unknown }; // any shape ends as a lookup
  const told = method === 'initialize' ? clientInfo : memberOf(_meta, MODERN_MEMBER);
  const name = memberOf(told, 'name');
  if (typeof name !== 'string') return undefined;
  const short = name.slice(0, NAME_LENGTH_MAX);
  return FAMILIES.find(([pattern]) => pattern.test(short))?.[1] ?? OTHER_CLIENT;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
