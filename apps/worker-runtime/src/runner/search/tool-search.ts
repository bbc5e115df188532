import { ProtocolError, type CallToolResult } from '@modelcontextprotocol/server';
import { ERROR_CATALOGUE } from '#libs/errors';
import { FOUND_MAX, FOUND_USUAL, type SearchRun } from '#libs/protocol';
import type { Catalogue, ListedTool } from '../mcp-servers/catalogue.js';
import { Ranking } from './ranking.js';
import { errorResult, textResult } from '../results/results.js';

const SUMMARY_CHARACTERS = 160;
const QUERY_CHARACTERS_MAX = 256;
const ABOUT_CHARACTERS_MAX = 400;

/** Search mode's tools over everything that a route can call. The index is made once, of this worker's releases alone. */
export class ToolSearch {
  readonly #catalogue: Catalogue;
  readonly #tools: ReadonlyMap<string, ListedTool>;
  readonly #ranking: Ranking;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
    this.#tools = new Map(catalogue.found.map((tool) => [tool.name, tool]));
    this.#ranking = new Ranking(
      catalogue.found.map((tool) => ({
        id: tool.name,
        name: tool.name.replaceAll(/([a-z])([A-Z])/g, '$1 $2'),
        summary: `${tool.title ?? ''} ${firstSentence(tool.description)}`,
        about: `${tool.description.slice(0, ABOUT_CHARACTERS_MAX)} ${argumentsOf(tool).join(' ')}`,
      })),
    );
  }

  /** Answers one of search mode's tools. @throws ProtocolError for arguments that are none of it */
  run({ does }: SearchRun, given: unknown): CallToolResult {
    const members = typeof given === 'object' && given !== null ? Object.entries(given) : [];
    const arguments_ = new Map<string, unknown>(members);
    if (does === 'search') return this.#search(textOf(arguments_, 'query'), countOf(arguments_.get('limit')));
    if (does === 'describe') return this.#describe(textOf(arguments_, 'name'));
    return errorResult(
      'run_tool runs another tool: send {"name": "…", "arguments": {…}} with a name that search_tools gave you.',
    );
  }

  #search(query: string, limit: number): CallToolResult {
    const hits = this.#ranking.find(query.slice(0, QUERY_CHARACTERS_MAX), limit);
    const tools = hits.flatMap((id) => {
      const tool = this.#tools.get(id);
      return tool === undefined ? [] : [foundTool(tool)];
    });
    if (tools.length === 0)
      return textResult(`None of the ${this.#tools.size} tools here fits these words. Try others, or fewer.`);
    return textResult(JSON.stringify({ tools, of: this.#tools.size }));
  }

  #describe(name: string): CallToolResult {
    const tool = this.#tools.get(name);
    return tool === undefined ? errorResult(this.#catalogue.unknownTool(name)) : textResult(JSON.stringify(tool));
  }
}

function foundTool({ name, title, description, annotations }: ListedTool): object {
  const sentence = firstSentence(description);
  const summary = sentence.length > SUMMARY_CHARACTERS ? `${sentence.slice(0, SUMMARY_CHARACTERS)}…` : sentence;
  return {
    name,
    ...(title === undefined ? {} : { title }),
    summary: summary.toWellFormed(),
    ...(annotations?.readOnlyHint === true ? { reads_only: true } : {}),
  };
}

function firstSentence(description: string): string {
  return description.split(/(?<=[.!?])\s|\n/, 1)[0] ?? '';
}

function argumentsOf({ inputSchema }: ListedTool): string[] {
  const { properties } = inputSchema as { readonly properties?: unknown }; // any shape ends as none
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}

function textOf(given: ReadonlyMap<string, unknown>, name: string): string {
  const value = given.get(name);
  if (typeof value === 'string' && value !== '') return value;
  throw new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, `Send "${name}" as a text that is not empty.`);
}

function countOf(value: unknown): number {
  if (value === undefined) return FOUND_USUAL;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= FOUND_MAX) return value;
  throw new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, `"limit" is a whole number from 1 to ${FOUND_MAX}.`);
}
