import { randomBytes } from 'node:crypto';
import type { PublishedPackage } from '#libs/testing';

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
const MIB = 1024 * 1024;
const BIN = { bin: { server: 'index.js' } };
const MODULE = { 'index.js': 'process.exit(1);' };

/** A package that is no server, with what is wrong with it. */
const faulty = (name: string, manifest: object, files: Readonly<Record<string, string>> = MODULE): PublishedPackage => ({
  name,
  manifest: { ...BIN, ...manifest },
  files,
});

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

/** A server in three versions, what it needs, and one whose archive is not what the registry says. */
export const PACKAGES: readonly PublishedPackage[] = [
  greeter('1.1.0'),
  greeter('1.2.0'),
  greeter('2.0.0'),
  {
    name: 'greeting-word',
    version: '1.4.0',
    manifest: { main: 'index.js' },
    files: { 'index.js': `exports.word = 'hello';` },
  },
  { ...faulty('tampered', {}), dist: { integrity: `sha512-${Buffer.alloc(64, 7).toString('base64')}` } },
];

/** Packages of which none is installed. */
export const FAULTY_PACKAGES = (): readonly PublishedPackage[] => [
  { name: 'no-bin', files: MODULE },
  faulty('two-bins', { bin: { one: 'index.js', two: 'other.js' } }, { ...MODULE, 'other.js': '' }),
  faulty('escaping-bin', { bin: '../../../../../bin/sh' }),
  faulty('missing-bin', { bin: 'gone.js' }),
  faulty('shell-bin', { bin: 'run.sh' }, { 'run.sh': '#!/bin/sh\nid' }),
  faulty('native', {}, { ...MODULE, 'binding.gyp': '{}' }),
  faulty('native-install', { scripts: { install: 'node-gyp rebuild' } }),
  faulty('needs-native', { dependencies: { native: '1.0.0' } }),
  { name: 'other-platform', manifest: { os: ['aix'] } },
  faulty('only-aix', { dependencies: { 'other-platform': '1.0.0' } }),
  ...['git+https://git.example.com/a/b.git', 'github:a/b', 'https://files.example.com/a.tgz', 'file:../a'].map(
    (where, index) => faulty(`from-elsewhere-${index}`, { dependencies: { dependency: where } }),
  ),
  faulty('needs-unknown', { dependencies: { 'never-published': '1.0.0' } }),
  faulty('needs-version', { dependencies: { 'greeting-word': '^9.0.0' } }),
  { ...faulty('unhashed', {}), dist: { integrity: undefined } },
  faulty('too-many-files', {}, {
    ...MODULE,
    ...Object.fromEntries([...Array(5_001).keys()].map((index) => [`f/${index}.js`, ''])),
  }),
  faulty('bomb', {}, { ...MODULE, 'large.txt': '0'.repeat(101 * MIB) }),
  faulty('too-large', {}, { ...MODULE, 'large.txt': noise(101 * MIB) }),
  faulty('silent', {}),
];

/** Text that packs to an eighth. */
function noise(bytes: number): string {
  const block = (): string => randomBytes(512).toString('hex').repeat(8);
  return Array.from({ length: Math.ceil(bytes / block().length) }, block).join('');
}
