import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/server';
import { PNG } from './content-tools.js';
import { text, type FixtureTool } from './tool.js';

const WATCHED = 'test://watched-resource';

/** Has a server offer the suite's resources. */
export function registerResources(mcp: McpServer): void {
  const plain = { mimeType: 'text/plain' };
  mcp.registerResource('static-text', 'test://static-text', { description: 'A text.', ...plain }, ({ href: uri }) => ({
    contents: [{ uri, ...plain, text: 'This is the content of the static text resource.' }],
  }));
  const image = { mimeType: 'image/png' };
  mcp.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'An image.', ...image },
    ({ href: uri }) => ({ contents: [{ uri, ...image, blob: PNG }] }),
  );
  mcp.registerResource('watched', WATCHED, { description: 'Changes.', ...plain }, ({ href: uri }) => ({
    contents: [{ uri, ...plain, text: 'Watched resource content' }],
  }));
  const json = { mimeType: 'application/json' };
  mcp.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'By number.', ...json },
    ({ href: uri }, { id }) => ({ contents: [{ uri, ...json, text: JSON.stringify({ id, data: `Data for ${id}` }) }] }),
  );
}

/** Tools that say that a resource or a list has changed. */
export const CHANGE_TOOLS: readonly FixtureTool[] = [
  {
    name: 'test_trigger_tool_change',
    description: 'Says that the list of tools has changed.',
    run: async ({ mcp }) => {
      await mcp.server.sendToolListChanged();
      return text('said');
    },
  },
  {
    name: 'test_trigger_prompt_change',
    description: 'Says that the list of prompts has changed.',
    run: async ({ mcp }) => {
      await mcp.server.sendPromptListChanged();
      return text('said');
    },
  },
  {
    name: 'touch_watched_resource',
    description: 'Says that a resource has changed.',
    run: async ({ mcp }) => {
      await mcp.server.sendResourceUpdated({ uri: WATCHED });
      return text('said');
    },
  },
];
