import type { PublishedPackage } from './npm-registry.js';

/** The name of a package that is a server. */
export const GREETER = '@test/greeter';

/** A server of the 2025 era that needs a word of another package. */
const SERVER = `#!/usr/bin/env node
import { createInterface } from 'node:readline';
import { word } from 'greeting-word';

const tool = { name: 'greet', description: 'Greets.', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } };
const { GREETING, TOKEN } = process.env;
const ANSWERS = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'greeter', version: '1' } }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [tool] }),
  'tools/call': () => ({ content: [{ type: 'text', text: JSON.stringify({ word, args: process.argv.slice(2), GREETING, TOKEN }) }] }),
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const answer = ANSWERS[method];
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...(answer ? { result: answer(params) } : { error: { code: -32601, message: 'unknown' } }) }));
});
`;

const greeter = (version: string): PublishedPackage => ({
  name: GREETER,
  version,
  manifest: {
    type: 'module',
    bin: { greeter: 'dist/index.js' },
    dependencies: { 'greeting-word': '^1.0.0' },
    devDependencies: { 'never-fetched': '1.0.0' },
    scripts: { postinstall: 'node -e "process.exit(9)"' },
    mcpName: 'example.com/greeter',
  },
  files: { 'dist/index.js': SERVER, 'dist/index.d.ts': 'export {};', 'dist/index.js.map': '{}' },
});

/** A server in three versions, and what it needs. */
export const GREETER_PACKAGES: readonly PublishedPackage[] = [
  greeter('1.1.0'),
  greeter('1.2.0'),
  greeter('2.0.0'),
  {
    name: 'greeting-word',
    version: '1.4.0',
    manifest: { main: 'index.js' },
    files: { 'index.js': `exports.word = 'hello';` },
  },
];
