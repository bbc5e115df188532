// A stdio MCP server of the 2025 era without dependencies.
import { createInterface } from 'node:readline';

const tool = {
  name: 'greet',
  description: 'Greets somebody.',
  annotations: { readOnlyHint: true },
  inputSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
};
const { GREETING, SYSTEM } = process.env;
const methods = {
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'greeter', version: '1.0.0' },
  }),
  'tools/list': () => ({ tools: [tool] }),
  'tools/call': ({ arguments: { name } }) => ({
    content: [{ type: 'text', text: `${GREETING}, ${name}! ${process.argv.slice(2)} ${SYSTEM}` }],
  }),
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const result = methods[method]?.(params);
  const answer = result ? { result } : { error: { code: -32601, message: 'Method not found' } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`);
});
