#!/usr/bin/env node
// The one entry of every npm script. It needs nothing installed: it installs the locked dependencies where they are
// missing, then goes on with Node 24, which is one of them.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const [name = 'help', ...rest] = process.argv.slice(2);

const USAGE = `npm start              start everything on this machine
npm run demo           the whole journey over public HTTP, step by step
npm run dev            start, and start again when a source file changes
npm run check          format, lint and rooms, types, unused code
npm test               every test, with PostgreSQL and Redis of its own
npm run conformance    the MCP conformance suite in both protocol eras
npm run bench          the figures: starts, calls, memory
npm run migrate        bring the database to this version's schema
npm run build          compile to dist/
`;

/** Ends with one sentence that says what to do. */
function fail(sentence) {
  process.stderr.write(`\n  ${sentence}\n\n`);
  process.exit(1);
}

/** Installs what package-lock.json names, unless it is what is installed. */
function provideDependencies() {
  const lock = createHash('sha256').update(readFileSync(path.join(root, 'package-lock.json'))).digest('hex');
  const stamp = path.join(root, 'node_modules', '.wharf-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  process.stderr.write('  Installing the locked dependencies …\n');
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, error } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (error !== undefined) fail('npm was not found; install Node.js with npm from nodejs.org.');
  if (status !== 0) fail('The dependencies could not be installed; see npm’s message above, then try again.');
  writeFileSync(stamp, lock);
}

/** The Node to go on with: this one, or the one among the dependencies. */
function provideNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath;
  const bundled = path.join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (!existsSync(bundled)) {
    fail(`Wharf runs on Node ${NODE_MAJOR} and brings none for ${process.platform}-${process.arch}; install it from nodejs.org.`);
  }
  return bundled;
}

/** Goes on in the Node of our own with the same arguments; our end, however it comes, closes its channel. */
function continueWith(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  // Ctrl-C reaches both of us; the child stops in order and we wait for it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

/** Runs a compiled program in this process, so that signals and the channel reach it directly. */
async function runCompiled(file) {
  const { build } = await import('../scripts/build.mjs');
  await build();
  process.argv = [process.argv[0], path.join(root, 'dist', file), ...rest];
  await import(`../dist/${file}`);
}

/** Runs tools one after the other and ends with the first failure. */
function runTools(...commands) {
  for (const [tool, ...args] of commands) {
    const { status } = spawnSync(process.execPath, [...tool.split(' ').map((part) => (part.startsWith('-') ? part : path.join(root, 'node_modules', part))), ...args], {
      cwd: root,
      stdio: 'inherit',
    });
    if (status !== 0) process.exit(status ?? 1);
  }
}

const COMMANDS = {
  start: () => runCompiled('apps/local/src/main.js'),
  demo: () => runCompiled('apps/local/src/demo/main.js'),
  dev: async () => (await import('../scripts/dev.mjs')).dev(),
  check: () =>
    runTools(
      ['oxfmt/bin/oxfmt', '--check', '.'],
      ['oxlint/bin/oxlint', '--deny-warnings'],
      ['@typescript/native-preview/bin/tsgo', '-p', '.'],
      ['knip/bin/knip.js'],
    ),
  test: () => runTools(['--experimental-vm-modules --disable-warning=ExperimentalWarning jest/bin/jest.js', ...rest]),
  conformance: () => runCompiled('test/conformance/main.js'),
  bench: () => runCompiled('test/bench/main.js'),
  migrate: () => runCompiled('apps/local/src/migrate/main.js'),
  build: async () => {
    const { build } = await import('../scripts/build.mjs');
    process.stdout.write(`Compiled ${await build()} changed files to dist/.\n`);
  },
};

const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  process.stdout.write(USAGE);
  process.exit(name === 'help' ? 0 : 1);
}
provideDependencies();
const node = provideNode();
if (node === process.execPath) {
  const { enableCompileCache } = await import('node:module');
  const cache = path.join(root, '.cache', 'compile');
  mkdirSync(cache, { recursive: true });
  enableCompileCache(cache);
  process.env.NODE_COMPILE_CACHE = cache;
  await command();
} else continueWith(node);
