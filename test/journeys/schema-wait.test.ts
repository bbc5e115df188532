import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '#libs/embedded';
import { emptyDatabase, endOf, TEST_MASTER_KEY, testRedis, until, type TestDatabase } from '#libs/testing';

const SERVICES = ['auth-server', 'control-plane', 'gateway', 'background'] as const;
const WAITS = /^This service waits for its schema, 600 s at most\. The database has not the schema of this version/;
/** Four processes start, and another one migrates. */
const PROCESSES_MS = 180_000;

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  /** What it has written to standard error so far. */
  said(): string;
}

const folder = mkdtempSync(path.join(tmpdir(), 'wharf-schema-wait-'));
const running: ChildProcess[] = [];
let store: TestDatabase;
let environment: Record<string, string>;

beforeAll(async () => {
  store = await emptyDatabase();
  environment = {
    PATH: process.env['PATH'] ?? '',
    NODE_ENV: 'test',
    DATABASE_URL: store.databaseUrl,
    REDIS_URL: (await testRedis()).redisUrl,
    WHARF_MASTER_KEY: TEST_MASTER_KEY.reveal(),
    WHARF_PUBLIC_URL: 'http://localhost:4000',
    WHARF_INTAKE_KEY: 'k'.repeat(43),
    WHARF_RUNTIME_SOCKETS: path.join(folder, 'runtime.sock'),
    WHARF_LOG_LEVEL: 'error',
  };
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => endOf(child)));
  await store.drop();
  rmSync(folder, { recursive: true, force: true });
  store = await emptyDatabase();
  environment['DATABASE_URL'] = store.databaseUrl;
});

async function startService(name: string, more: Readonly<Record<string, string>>): Promise<Started> {
  const port = await freePort();
  const child = spawn(process.execPath, [path.resolve('dist/apps', name, 'src/main.js')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...environment, WHARF_DATA_DIR: path.join(folder, name), WHARF_PORT: String(port), ...more },
  });
  running.push(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { child, url: `http://127.0.0.1:${port}`, said: () => said };
}

async function migrate(): Promise<void> {
  const { WHARF_INTAKE_KEY: _, ...owner } = environment;
  const child = spawn(process.execPath, [path.resolve('dist/apps/local/src/migrate/main.js')], {
    stdio: 'ignore',
    env: { ...owner, WHARF_DATA_DIR: path.join(folder, 'migrate') },
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
}

const ready = async ({
  url,
}: Started): Promise<readonly [number, Record<string, { checks: Record<string, string> }>]> => {
  const answer = await fetch(`${url}/readyz`);
  return [answer.status, (await answer.json()) as Record<string, { checks: Record<string, string> }>]; // `/readyz` has this shape
};

const answers = ({ url }: Started): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

test(
  'services that start before their schema is there are alive, not ready, say what they wait for, and start when it has come',
  async () => {
    const started = await Promise.all(SERVICES.map((name) => startService(name, { WHARF_SCHEMA_WAIT_SECONDS: '600' })));
    for (const service of started) {
      await until(() => answers(service), 'a service that is alive');
      const [status, state] = await ready(service);
      expect([status, state]).toEqual([
        503,
        { service: { ok: false, checks: { start: expect.stringMatching(WAITS) } } },
      ]);
      const turnedAway = await fetch(`${service.url}/t/acme/mcp`);
      expect([turnedAway.status, turnedAway.headers.get('retry-after')]).toEqual([503, '5']);
      expect(service.said()).toMatch(WAITS);
    }
    await migrate();
    for (const [index, service] of started.entries()) {
      const name = SERVICES[index] ?? '';
      const checks = await until(async () => (await ready(service))[1][name]?.checks, `the state of ${name}`);
      expect(checks['database'] ?? checks['postgres']).toMatch(/^(ok|warning: this PostgreSQL version)/);
      expect([service.said().match(/waits for its schema/g)?.length, service.child.exitCode]).toEqual([1, null]);
    }
    expect((await ready(started[0] as Started))[0]).toBe(200); // there are four
  },
  PROCESSES_MS,
);

test('a service whose time to wait is over ends, and says what of: here, of a password that nobody has set', async () => {
  const service = await startService('auth-server', {
    WHARF_SCHEMA_WAIT_SECONDS: '1',
    WHARF_MASTER_KEY: Buffer.alloc(32, 'another').toString('base64'),
  });
  expect(await once(service.child, 'exit')).toEqual([1, null]);
  expect(service.said()).toMatch(
    /^This service waits for its schema, 1 s at most\. PostgreSQL refuses the password of wharf_auth/,
  );
  expect(service.said()).toMatch(/\nPostgreSQL refuses the password of wharf_auth .*run `npm run migrate`/);
});

test('a service that waits is told to stop, and is gone', async () => {
  const service = await startService('control-plane', { WHARF_SCHEMA_WAIT_SECONDS: '600' });
  await until(() => answers(service), 'a service that is alive');
  service.child.kill('SIGTERM');
  expect(await once(service.child, 'exit')).toEqual([0, null]);
});

test('without the setting a service that finds no schema ends at once', async () => {
  const service = await startService('auth-server', {});
  expect(await once(service.child, 'exit')).toEqual([1, null]);
  expect(service.said()).toMatch(/^The database has not the schema of this version/);
});
