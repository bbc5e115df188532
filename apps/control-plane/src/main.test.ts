import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testDatabase, testRedis, until, type TestDatabase } from '#libs/testing';
import { start } from './main.js';

const MAIN = fileURLToPath(new URL('../../../dist/apps/control-plane/src/main.js', import.meta.url));

let store: TestDatabase;
let environment: Record<string, string>;

beforeAll(async () => {
  store = await testDatabase();
  environment = {
    WHARF_PUBLIC_URL: 'http://localhost:4000',
    DATABASE_URL: store.databaseUrl,
    REDIS_URL: (await testRedis()).redisUrl,
    WHARF_MASTER_KEY: store.masterKey.reveal(),
    WHARF_INTAKE_KEY: 'k'.repeat(43),
    WHARF_RUNTIME_SOCKETS: '/nonexistent/runtime.sock',
    WHARF_LOG_LEVEL: 'silent',
  };
});

afterAll(() => store.drop());

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Asks until the process answers. */
function answerOf(child: ChildProcess, url: string): Promise<Response> {
  return until(() => {
    if (child.exitCode !== null) throw new Error('the process ended');
    return fetch(url).catch(() => undefined);
  }, `an answer of ${url}`);
}

test('runs alone, is ready without a runtime, and ends in order on SIGTERM', async () => {
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...environment, WHARF_PORT: String(port) },
  });
  try {
    expect((await answerOf(child, `http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      {
        'control-plane': {
          ok: true,
          checks: expect.objectContaining({ redis: 'ok', runtime: expect.stringMatching(/^warning/) }),
        },
      },
    ]);
    await fetch(`http://127.0.0.1:${port}/v1/openapi.json`);
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('route="/v1/openapi.json"');
  } finally {
    child.kill('SIGTERM');
  }
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
});

test('names every key that is missing or misspelled, and does not start', async () => {
  const { DATABASE_URL: _, ...without } = environment;
  await expect(start({ ...without, WHARF_SIGNUP_PER_HOUR: '5' })).rejects.toThrow(
    /WHARF_SIGNUP_PER_HOUR: no service knows this key[\s\S]*DATABASE_URL/,
  );
});

test('answers 503 with Retry-After while the database is away', async () => {
  const lost = await testDatabase();
  const service = await start({
    ...environment,
    DATABASE_URL: lost.databaseUrl,
    WHARF_MASTER_KEY: lost.masterKey.reveal(),
  });
  const { createServer: createHttpServer } = await import('node:http');
  const server = createHttpServer(service.listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP
  await lost.drop();
  const key = `who_${'A'.repeat(43)}`;
  const answer = await fetch(`http://127.0.0.1:${port}/admin/v1/plans`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await answer.text()).not.toMatch(/database|postgres|ECONN/i);
  // Another copy would do no better, and one that is taken out could not say when to come again.
  const away = expect.stringMatching(/^warning: PostgreSQL does not answer/);
  expect(await service.readiness()).toMatchObject({ ok: true, checks: { postgres: away } });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await service.stop();
});
