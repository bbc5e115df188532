import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Service } from '#libs/http';
import { listenForChanges } from '#libs/database';
import { testRedis } from '#libs/testing';
import { start } from './main.js';
import { manifestOf, openWorkplace, type Workplace } from './workplace.fixture.js';

const ENTRY = fileURLToPath(new URL('../../../dist/apps/background/src/main.js', import.meta.url));
let place: Workplace;
let environment: Record<string, string>;

beforeAll(async () => {
  const redis = await testRedis();
  place = await openWorkplace();
  environment = {
    DATABASE_URL: place.store.databaseUrl,
    REDIS_URL: redis.redisUrl,
    WHARF_MASTER_KEY: place.store.masterKey.reveal(),
    WHARF_INTAKE_KEY: place.runtime.intakeKey,
    WHARF_RUNTIME_SOCKETS: place.runtime.socket,
    WHARF_PUBLIC_URL: 'http://localhost:4000',
    WHARF_LOG_LEVEL: 'silent',
  };
});

afterAll(() => place.close());

/** Resolves when a committed change of the tenant's servers is told, as the gateway hears it. */
async function whenChanged(tenantId: string): Promise<{ changed: Promise<void>; close(): Promise<void> }> {
  let hear: () => void;
  const changed = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const listener = await listenForChanges({
    ...place.store,
    role: 'wharf_control',
    onChange: (id) => id === tenantId && hear(),
  });
  return { changed, close: () => listener.close() };
}

test('a request that is committed goes live without being asked for again', async () => {
  const server = await place.newServer();
  const release = await place.newRelease(server, manifestOf('one'));
  const changes = await whenChanged(server.tenantId);
  const service: Service = await start(environment);
  expect(await service.readiness()).toEqual({ ok: true, checks: { database: 'ok', redis: 'ok', runtime: 'ok' } });
  await place.request(server, release);
  await changes.changed;
  const [row] = await place.control.asTenant(server.tenantId, (tx) =>
    tx.query(`select live_release_id as live from servers`),
  );
  expect(row).toEqual({ live: release });
  await Promise.all([service.stop(), service.stop()]);
  await changes.close();
});

test('the process works off what it finds at its start and ends in order when told to', async () => {
  const server = await place.newServer();
  const release = await place.newRelease(server, manifestOf('one'));
  await place.request(server, release);
  const changes = await whenChanged(server.tenantId);
  const child = spawn(process.execPath, [ENTRY], { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  await changes.changed;
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  await changes.close();
});

test('a configuration it cannot use is refused with the keys to correct', async () => {
  await expect(start({ ...environment, WHARF_INTAKE_KEY: 'short', WHARF_RUNTIME_SOCKET: '/tmp/x' })).rejects.toThrow(
    /WHARF_RUNTIME_SOCKET: no service knows this key[\s\S]*WHARF_INTAKE_KEY/,
  );
});
