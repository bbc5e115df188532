/** An MCP server of 2025 in a few lines that needs no package. */
export const ECHO = `
import { createInterface } from 'node:readline';
const tools = [{ name: 'echo', description: 'Says it again.', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }];
const answers = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'echo', version: '1' } }),
  'tools/list': () => ({ tools }),
  'tools/call': ({ arguments: given }) => ({ content: [{ type: 'text', text: given.text }] }),
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method]?.(params) ?? {} }));
});
`;
