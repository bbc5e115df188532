import { randomBytes } from 'node:crypto';
import { GREETER_PACKAGES, type PublishedPackage } from '#libs/testing';

const MIB = 1024 * 1024;
const BIN = { bin: { server: 'index.js' } };
const MODULE = { 'index.js': 'process.exit(1);' };

/** A server that tells in its tool's description which ports listen beside it, and which proxies it was told of. */
const NOSY = `
import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline';
const read = 'fs.readFileSync("/proc/net/tcp", "utf8").split("\\\\n").filter((line) => line.trim().split(" ").filter(Boolean)[3] === "0A").length';
const listening = execFileSync(process.execPath, ['--permission', '--allow-fs-read=*', '-p', read], { encoding: 'utf8' }).trim();
const proxies = Object.keys(process.env).filter((name) => /proxy/i.test(name)).length;
const tool = { name: 'look', description: 'listening: ' + listening + ', proxies: ' + proxies, inputSchema: { type: 'object' } };
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const result = method === 'initialize'
    ? { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'nosy', version: '1' } }
    : method === 'tools/list' ? { tools: [tool] } : undefined;
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'no' } }) }));
});
`;

/** A server of the 2025 era that asks a URL, as packages do that know nothing of proxies, and trusts the authority it is given. */
const REACHER = `
import { createInterface } from 'node:readline';
import https from 'node:https';
const tools = ['reach', 'wait'].map((name) => ({ name, description: name, inputSchema: { type: 'object' } }));
const secure = (url, ca) => new Promise((resolve, reject) => https.get(url, { ca }, (answer) => {
  let body = ''; answer.on('data', (part) => { body += part; }).on('end', () => resolve(answer.statusCode + ' ' + body));
}).on('error', reject));
const plain = async (url) => { const answer = await fetch(url); return answer.status + ' ' + await answer.text(); };
const reach = ({ url, ca }) => (url.startsWith('https:') ? secure(url, ca) : plain(url)).catch((error) => 'failed ' + error.message);
createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params } = JSON.parse(line);
  const result = method === 'initialize'
    ? { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'reacher', version: '1' } }
    : method === 'tools/list' ? { tools }
    : params?.name === 'wait' ? await new Promise(() => setInterval(() => undefined, 1_000_000))
    : method === 'tools/call' ? { content: [{ type: 'text', text: await reach(params.arguments) }] } : undefined;
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'no' } }) }));
});
`;

/** A package whose tool `reach` asks the URL that it is given; `wait` never answers. */
export const REACHER_PACKAGE: PublishedPackage = {
  name: 'reacher',
  manifest: { ...BIN, type: 'module' },
  files: { 'index.js': REACHER },
};

/** A package that is no server, with what is wrong with it. */
const faulty = (
  name: string,
  manifest: object,
  files: Readonly<Record<string, string>> = MODULE,
): PublishedPackage => ({
  name,
  manifest: { ...BIN, ...manifest },
  files,
});

/** A server, and a package whose archive is not what the registry says. */
export const PACKAGES: readonly PublishedPackage[] = [
  ...GREETER_PACKAGES,
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
  faulty(
    'too-many-files',
    {},
    {
      ...MODULE,
      ...Object.fromEntries([...Array(5_001).keys()].map((index) => [`f/${index}.js`, ''])),
    },
  ),
  faulty('bomb', {}, { ...MODULE, 'large.txt': '0'.repeat(101 * MIB) }),
  faulty('too-large', {}, { ...MODULE, 'large.txt': noise(101 * MIB) }),
  faulty('silent', {}),
  { name: 'nosy', manifest: { ...BIN, type: 'module' }, files: { 'index.js': NOSY } },
];

/** Text that packs to an eighth. */
function noise(bytes: number): string {
  const block = (): string => randomBytes(512).toString('hex').repeat(8);
  return Array.from({ length: Math.ceil(bytes / block().length) }, block).join('');
}
