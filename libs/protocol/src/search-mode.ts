import type { ListedDefinition } from './manifest.js';
import { RUN_TOOL } from './tool-view.js';

/** A tool of search mode: it finds others, or shows what one is. */
export interface SearchRun {
  readonly kind: 'search';
  readonly does: 'search' | 'describe' | 'run';
}

/** Most tools that one search answers. */
export const FOUND_MAX = 25;
/** How many it answers unless it is asked for another number. */
export const FOUND_USUAL = 8;

const NAME = { type: 'string', minLength: 1, maxLength: 128 };

const FIND: ListedDefinition = {
  name: 'search_tools',
  description:
    'Finds the tools of this server by what they do. Start here: the server has many tools and lists none of them. Answers names, best first; then call describe_tool for one and run_tool to use it.',
  inputSchema: {
    type: 'object',
    properties: {
      query: { type: 'string', minLength: 1, maxLength: 256, description: 'A few words: what you want to do.' },
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: FOUND_MAX,
        description: `How many; ${FOUND_USUAL} if left out.`,
      },
    },
    required: ['query'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, openWorldHint: false },
};

const DESCRIBE: ListedDefinition = {
  name: 'describe_tool',
  description: 'Shows a tool that search_tools has found: what it does and the schema of its arguments.',
  inputSchema: {
    type: 'object',
    properties: { name: { ...NAME, description: 'The name, as search_tools gave it.' } },
    required: ['name'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, openWorldHint: false },
};

const RUN: ListedDefinition = {
  name: RUN_TOOL,
  description:
    'Runs a tool that search_tools has found. Whether it may be run is decided for that tool; its own arguments go into "arguments".',
  inputSchema: {
    type: 'object',
    properties: {
      name: { ...NAME, description: 'The name, as search_tools gave it.' },
      arguments: { type: 'object', description: 'Its arguments, by the schema that describe_tool shows.' },
    },
    required: ['name'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: false },
};

/** What search mode lists in place of everything that can be called. */
export const SEARCH_MODE: ReadonlyArray<{ readonly definition: ListedDefinition; readonly run: SearchRun }> = [
  { definition: FIND, run: { kind: 'search', does: 'search' } },
  { definition: DESCRIBE, run: { kind: 'search', does: 'describe' } },
  { definition: RUN, run: { kind: 'search', does: 'run' } },
];
