import type { CallToolResult } from '@modelcontextprotocol/server';
import type { SearchRun } from '#libs/protocol';
import type { Catalogue } from '../mcp-servers/catalogue.js';
import type { ToolSearch } from './tool-search.js';

/** A worker's door to search mode; the index is made when something is searched for first. */
export class SearchTools {
  #search: Promise<ToolSearch> | undefined;

  constructor(private readonly catalogue: Catalogue) {}

  /** Answers one of search mode's tools. @throws ProtocolError as `ToolSearch.run` */
  async run(run: SearchRun, given: unknown): Promise<CallToolResult> {
    return (await this.#open()).run(run, given);
  }

  #open(): Promise<ToolSearch> {
    return (this.#search ??= import('./tool-search.js').then(({ ToolSearch }) => new ToolSearch(this.catalogue)));
  }
}
