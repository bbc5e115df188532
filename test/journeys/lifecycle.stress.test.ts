import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { freePort } from '#libs/embedded';
import { signUp, WharfApi } from '#libs/journey';
import { until } from '#libs/testing';

/** The launcher as people start it, with PostgreSQL and Redis of its own. */
interface Launched {
  readonly child: ChildProcess;
  readonly url: string;
  output(): string;
  readonly exited: Promise<number | null>;
}

const cleanups: Array<() => void> = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'wharf-lifecycle-'));
  cleanups.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const DIRECTLY = [process.execPath, 'bin/wharf.mjs', 'start'] as const;
const BY_NPM = ['npm', 'start'] as const;

function run(environment: Record<string, string>, [program, ...args]: readonly string[] = DIRECTLY): Launched {
  const child = spawn(program ?? '', args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
  });
  cleanups.push(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, url: `http://localhost:${environment['WHARF_PORT']}`, output: () => output, exited };
}

async function ready(launched: Launched): Promise<Launched> {
  await Promise.race([
    new Promise((resolve) => launched.child.once('message', resolve)),
    launched.exited.then((code) => Promise.reject(new Error(`ended with ${code}: ${launched.output()}`))),
  ]);
  return launched;
}

/** Processes whose command line names the folder, or that a file in it says are its servers. */
function processesOf(dataDir: string): string[] {
  const all = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(dataDir));
}

describe('npm start', () => {
  test('shows one screen, stops in order, and keeps all data for the next start', async () => {
    const dataDir = folder();
    const environment = { WHARF_DATA_DIR: dataDir, WHARF_PORT: String(await freePort()) };
    const first = await ready(run(environment));
    expect(first.output()).toContain('Wharf is ready');
    expect(first.output()).toContain('operator.key');
    const person = { email: 'keep@example.com', password: 'correct horse battery' };
    const { api_key: key } = await signUp(first.url, { tenantName: 'Keep', slug: 'keep', ...person });
    // Whoever tries things signs up more often than a stranger may; all of this machine is one address.
    for (let number = 0; number < 11; number += 1) {
      const email = `try-${number}@example.com`;
      await signUp(first.url, { tenantName: 'Try', slug: `try-${number}`, ...person, email });
    }
    first.child.kill('SIGINT');
    expect(await first.exited).toBe(0);
    expect(processesOf(dataDir)).toEqual([]);

    const second = await ready(run(environment));
    expect((await new WharfApi({ publicUrl: second.url, apiKey: key.text }).tenant()).slug).toBe('keep');
    second.child.kill('SIGTERM');
    expect(await second.exited).toBe(0);
  });

  test('recovers after kill -9 and leaves no orphans', async () => {
    const dataDir = folder();
    const environment = { WHARF_DATA_DIR: dataDir, WHARF_PORT: String(await freePort()) };
    const first = await ready(run(environment));
    const person = { email: 'kill@example.com', password: 'correct horse battery' };
    const { api_key: key } = await signUp(first.url, { tenantName: 'Kill', slug: 'kill', ...person });
    first.child.kill('SIGKILL');
    await first.exited;
    const second = await ready(run(environment));
    expect((await new WharfApi({ publicUrl: second.url, apiKey: key.text }).tenant()).slug).toBe('kill');
    second.child.kill('SIGTERM');
    expect(await second.exited).toBe(0);
    await until(() => processesOf(dataDir).length === 0, 'the end of everything that was started');
  });

  test('stops in order when npm, which a supervisor started, is told to', async () => {
    const dataDir = folder();
    const launched = run({ WHARF_DATA_DIR: dataDir, WHARF_PORT: String(await freePort()) }, BY_NPM);
    await until(() => launched.output().includes('Wharf is ready'), 'the start');
    launched.child.kill('SIGTERM');
    await launched.exited;
    await until(() => processesOf(dataDir).length === 0, 'the end of everything that was started');
  });

  test('says what to do when the port is taken', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    const launched = run({ WHARF_DATA_DIR: folder(), WHARF_PORT: String(port) });
    expect(await launched.exited).toBe(1);
    expect(launched.output()).toMatch(new RegExp(`Port ${port} is taken .*WHARF_PORT=${port + 1} npm start`));
    other.close();
  });

  test('says what to do when the data folder cannot be written', async () => {
    const parent = folder();
    // Root may write anywhere, so the folder stands where no folder can be: below a file.
    const dataDir = process.getuid?.() === 0 ? '/proc/version/wharf' : path.join(parent, 'data');
    chmodSync(parent, 0o500);
    const launched = run({ WHARF_DATA_DIR: dataDir, WHARF_PORT: String(await freePort()) });
    expect(await launched.exited).toBe(1);
    expect(launched.output()).toMatch(/cannot be written; make it writable, or set WHARF_DATA_DIR/);
    chmodSync(parent, 0o700);
  });

  test('says what to do when the data folder is in use', async () => {
    const dataDir = folder();
    const first = await ready(run({ WHARF_DATA_DIR: dataDir, WHARF_PORT: String(await freePort()) }));
    const second = run({ WHARF_DATA_DIR: dataDir, WHARF_PORT: String(await freePort()) });
    expect(await second.exited).toBe(1);
    expect(second.output()).toMatch(/already runs with the data folder .* stop it, or set WHARF_DATA_DIR/);
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
  });

  test('says that Wharf runs when it is started twice', async () => {
    const environment = { WHARF_DATA_DIR: folder(), WHARF_PORT: String(await freePort()) };
    const first = await ready(run(environment));
    const second = run(environment);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain('Wharf already runs with the data folder');
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
  });

  test('says in a sentence, at once, what a service could not use', async () => {
    const port = String(await freePort());
    const unreachable = run({
      WHARF_DATA_DIR: folder(),
      WHARF_PORT: port,
      DATABASE_URL: `postgres://wharf:wharf@127.0.0.1:${await freePort()}/wharf`,
      REDIS_URL: 'redis://127.0.0.1:1',
    });
    expect(await unreachable.exited).toBe(1);
    expect(unreachable.output()).toMatch(
      /could not start\. PostgreSQL cannot be reached \(.*ECONNREFUSED.*check DATABASE_URL\./,
    );
    expect(unreachable.output()).not.toMatch(/^ +at /m);
    const refused = run({ WHARF_DATA_DIR: folder(), WHARF_PORT: port, WHARF_WORKER_DRIVER: 'docker' });
    expect(await refused.exited).toBe(1);
    expect(refused.output()).toMatch(
      /The worker-runtime ended while it started; its reason is at the end of .*wharf\.log/,
    );
  });

  test('names the file of a master key that is missing, makes none in its place, and starts once it is back', async () => {
    const dataDir = folder();
    const environment = { WHARF_DATA_DIR: dataDir, WHARF_PORT: String(await freePort()) };
    const first = await ready(run(environment));
    first.child.kill('SIGTERM');
    await first.exited;
    const file = path.join(dataDir, 'keys', 'master.key');
    renameSync(file, `${file}.away`);
    const second = run(environment);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`could not start. ${file} is missing. The database was set up with master key`);
    expect(existsSync(file)).toBe(false);
    renameSync(`${file}.away`, file);
    const third = await ready(run(environment));
    third.child.kill('SIGTERM');
    expect(await third.exited).toBe(0);
  });

  test('names a misspelled setting instead of ignoring it', async () => {
    const launched = run({ WHARF_DATA_DIR: folder(), WHARF_PROT: '1', WHARF_PORT: String(await freePort()) });
    expect(await launched.exited).toBe(1);
    expect(launched.output()).toContain('WHARF_PROT: no service knows this key');
  });
});

test('the keys in the data folder are readable by their owner only', async () => {
  const dataDir = folder();
  const launched = await ready(run({ WHARF_DATA_DIR: dataDir, WHARF_PORT: String(await freePort()) }));
  const listing = execFileSync('find', [dataDir, '-name', '*.key', '-perm', '/077'], { encoding: 'utf8' });
  expect(listing).toBe('');
  expect(readFileSync(path.join(dataDir, 'operator.key'), 'utf8')).toMatch(/^who_/);
  launched.child.kill('SIGTERM');
  await launched.exited;
});
