#!/usr/bin/env node
// The one entry of every npm script. It needs nothing installed: it installs the locked dependencies where they are
// missing, then goes on with Node 24, which is one of them.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const GRACE_MS = 15_000;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const [name = 'help', ...rest] = process.argv.slice(2);

const USAGE = `npm start              start everything on this machine
npm run demo           the whole journey over public HTTP, step by step
npm run dev            start, and start again when a source file changes
npm run check          format, lint and rooms, types, unused code
npm test               every test but the slow ones, with PostgreSQL and Redis of its own
npm run stress         the slow tests: kills, floods, time-outs, a thousand starts
npm run conformance    the MCP conformance suite in both protocol eras
npm run faults         everything breaks in turn under the calls of real clients: one table of what came of it
npm run soak           ten minutes of calls: memory, descriptors and processes stay flat
npm run scaling        what tenants, sessions and calls cost, beside what the sizing formula says
npm run rollouts       rollouts under traffic, with what carries them killed
npm run redis-shapes   what is kept in Redis, on a Cluster, by TLS, and while masters are replaced
npm run upgrade        the last release on this one’s schema, and both side by side
npm run bench          the figures: starts, calls, memory
npm run migrate        bring the database to this version's schema
npm run backup         write the whole database to a folder, sealed
npm run restore        bring an empty database to what such a folder holds
npm run import         bring a tenant out of its archive into this installation
npm run images         which images we build and run on: pin, check, release
npm run keys           make a master key, or have one wrapped by AWS KMS or Vault
npm run build          compile to dist/
npm run cli            build the command line, one file in dist/cli, and run it
`;

/** Ends with one sentence that says what to do. */
function fail(sentence) {
  process.stderr.write(`\n  ${sentence}\n\n`);
  process.exit(1);
}

/** The packages of a lock file by their place; none where it cannot be read. */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(path.join(root, file), 'utf8')).packages;
  } catch {
    return {};
  }
}

/** Whether npm would install a package here: an optional one is for the systems it names. */
function isForHere({ optional, os, cpu, libc }) {
  const holds = (list, here) => list === undefined || [list].flat().includes(here);
  if (optional !== true) return true;
  return os !== undefined && holds(os, process.platform) && holds(cpu, process.arch) && libc === undefined;
}

/** Installs what package-lock.json names, unless npm's own record says that it is what is installed. */
function provideDependencies() {
  const installed = packagesOf('node_modules/.package-lock.json');
  const wanted = Object.entries(packagesOf('package-lock.json')).filter(
    ([place, entry]) => place !== '' && isForHere(entry),
  );
  if (wanted.every(([place, entry]) => installed[place]?.version === entry.version)) return;
  process.stderr.write('  Installing the locked dependencies …\n');
  const args = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const { status, error } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (error !== undefined) fail('npm was not found; install Node.js with npm from nodejs.org.');
  if (status !== 0) fail('The dependencies could not be installed; see npm’s message above, then try again.');
}

/** The Node to go on with: this one, or the one among the dependencies. */
function provideNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return process.execPath;
  const bundled = path.join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (!existsSync(bundled)) {
    fail(
      `Wharf runs on Node ${NODE_MAJOR} and brings none for ${process.platform}-${process.arch}; install it from nodejs.org.`,
    );
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
    const { status } = spawnSync(process.execPath, [path.join(root, 'node_modules', tool), ...args], {
      cwd: root,
      stdio: 'inherit',
    });
    if (status !== 0) process.exit(status ?? 1);
  }
}

const JEST = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
/** Each option takes one value, so that a path of the caller is not read as one more value of a list before it. */
const SLOW = ['--forceExit', '--testPathIgnorePatterns=/node_modules/', '--maxWorkers=1'];
/** Shapes of Redis have a command of their own. */
const STRESS = [
  '--testMatch=**/*.stress.test.ts',
  ...SLOW.slice(0, -1),
  '--testPathIgnorePatterns=/test/redis-shapes/',
  '--maxWorkers=2',
];

/** The rooms that keep something in Redis: their tests are run once more on a Redis Cluster. */
const KEPT_IN_REDIS = [
  'libs/(limits|changes|connect-attempts)/',
  'apps/gateway/src/(sessions|streams|open-streams|old-transport|kept-results|limits|possession|tasks)/',
  'apps/auth-server/src/limits/',
  'apps/control-plane/src/(signup|access)/',
  'apps/background/src/(outbox/|main)',
];

/**
 * Runs this program again, or jest, in a process group of its own, and ends with it: when it is over, or the minutes
 * are, whatever it has started and left in its group is ended too.
 */
async function runBounded(minutes, args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', detached: true });
  const tell = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => tell(signal));
  const late = setTimeout(() => {
    process.stderr.write(`\n  Stopped: not done after ${minutes} minutes.\n`);
    tell('SIGTERM');
    setTimeout(() => tell('SIGKILL'), GRACE_MS);
  }, minutes * 60_000);
  const [code] = await once(child, 'exit');
  clearTimeout(late);
  tell('SIGKILL');
  process.exit(code ?? 1);
}

const runJest = (minutes, ...args) => runBounded(minutes, [...JEST, ...args, ...rest]);

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
  test: () => runJest(30),
  // `minutes N` begins none of its parts after so many.
  stress: () =>
    rest[0] === 'minutes'
      ? runBounded(Number(rest[1]) + 15, [fileURLToPath(import.meta.url), 'stress-in-parts', ...rest])
      : runJest(30, ...STRESS),
  'stress-in-parts': async () => {
    const { runInParts } = await import('../scripts/in-parts.mjs');
    process.exitCode = runInParts(root, Number(rest[1]), [...JEST, ...STRESS, ...rest.slice(2)]);
  },
  faults: () => runBounded(100, [fileURLToPath(import.meta.url), 'faults-here', ...rest]),
  'faults-here': () => runCompiled('test/faults/main.js'),
  soak: () => runBounded(Number(rest[1] ?? 10) + 5, [fileURLToPath(import.meta.url), 'soak-here', ...rest]),
  'soak-here': () => runCompiled('test/soak/main.js'),
  scaling: () => runBounded(15, [fileURLToPath(import.meta.url), 'scaling-here', ...rest]),
  'scaling-here': () => runCompiled('test/scaling/main.js'),
  rollouts: () => runJest(20, ...SLOW, 'test/rollouts'),
  'redis-shapes': () => {
    process.env.WHARF_TEST_REDIS = 'cluster';
    const quick = rest[0] === 'quick';
    if (quick) rest.shift();
    return runJest(15, ...SLOW, ...(quick ? KEPT_IN_REDIS.slice(0, 1) : KEPT_IN_REDIS), 'test/redis-shapes');
  },
  upgrade: () => runJest(15, ...SLOW, 'test/platform-releases'),
  conformance: () => runBounded(15, [fileURLToPath(import.meta.url), 'conformance-here', ...rest]),
  'conformance-here': () => runCompiled('test/conformance/main.js'),
  bench: () => runCompiled('test/bench/main.js'),
  migrate: () => runCompiled('apps/local/src/migrate/main.js'),
  backup: () => runCompiled('apps/local/src/backup/main.js'),
  restore: () => runCompiled('apps/local/src/restore/main.js'),
  import: () => runCompiled('apps/local/src/tenant-import/main.js'),
  keys: () => runCompiled('apps/local/src/keys/main.js'),
  images: () => runCompiled('apps/local/src/images/main.js'),
  build: async () => {
    const { build } = await import('../scripts/build.mjs');
    process.stdout.write(`Compiled ${await build()} changed files to dist/.\n`);
  },
  cli: async () => {
    const { buildCli } = await import('../scripts/build-cli.mjs');
    const file = await buildCli();
    process.argv = [process.argv[0], file, ...rest];
    await import(file);
  },
};

const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  const asked = ['help', '--help', '-h'].includes(name);
  process.stdout.write(asked ? USAGE : `There is no command "${name}". These are the commands:\n\n${USAGE}`);
  process.exit(asked ? 0 : 1);
}
try {
  accessSync(root, constants.W_OK);
} catch {
  fail(`The folder ${root} cannot be written by this user; clone Wharf into one that can.`);
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
