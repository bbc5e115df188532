import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import { Database, urlForRole } from '#libs/database';
import { metricsText, startTelemetry, type Telemetry } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { READS_BOUND, RowSeals } from './row-seals.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

let store: TestDatabase;
let owner: Client;
let database: Database;
let telemetry: Telemetry;

beforeAll(async () => {
  telemetry = startTelemetry('auth-server');
  store = await testDatabase();
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  // As an installation may name it for itself.
  const named = new URL(store.databaseUrl);
  named.searchParams.set('application_name', 'shop');
  const { masterKey } = store;
  const options = { databaseUrl: named.href, masterKey, poolSize: 1, applicationName: READS_BOUND };
  database = await Database.connect({ ...options, role: 'wharf_auth' });
});
afterAll(async () => {
  await Promise.all([database.close(), owner.end(), telemetry.stop()]);
  await store.drop();
});
beforeEach(() =>
  owner.query(
    `update oauth_sealing set settled_at = null, older_seen_at = now() - interval '61 minutes', looked_at = now()`,
  ),
);

function open(warn: () => void = jest.fn()): Promise<RowSeals> {
  return RowSeals.open({ database, masterKey: store.masterKey, logger: { warn, info: jest.fn() } });
}

/** What the metrics say of it. */
async function shown(): Promise<string | undefined> {
  return /^wharf_oauth_sealing_settled(?:\{[^}]*\})? (\d)$/m.exec(await metricsText())?.[1];
}

test('a name in the database’s URL makes nobody an older auth-server', async () => {
  const seals = await open();
  expect([seals.binds, await shown()]).toEqual([true, '1']);
  await seals.stop();
});

test('what is settled stays so: the service’s role cannot take it back', async () => {
  const seals = await open();
  const unset = database.asService((tx) => tx.query(`update oauth_sealing set settled_at = null`));
  await expect(unset).rejects.toMatchObject({ driverError: { code: '42501' } });
  await database.asService((tx) => tx.query(`update oauth_sealing set looked_at = now()`));
  await seals.look();
  expect(seals.binds).toBe(true);
  await seals.stop();
});

test('who keeps it from settling is said once a day, and shown', async () => {
  const connectionString = urlForRole(store.databaseUrl, 'wharf_auth', store.masterKey);
  const older = new Client({ connectionString, application_name: 'a tool' });
  await older.connect();
  const warn = jest.fn();
  const seals = await open(warn);
  await seals.look();
  expect(warn.mock.calls).toEqual([[{ connections: ['a tool'] }, expect.any(String)]]);
  expect(await shown()).toBe('0');
  const tomorrow = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + DAY_MS);
  await seals.look();
  tomorrow.mockRestore();
  expect(warn).toHaveBeenCalledTimes(2);
  await older.end();
  // PostgreSQL forgets a connection a moment after its end.
  const left = async () =>
    (await owner.query(`select from pg_stat_activity where application_name = 'a tool'`)).rowCount;
  for (const until = Date.now() + 15_000; Date.now() < until && (await left()) !== 0;) await pause(20);
  await owner.query(`update oauth_sealing set older_seen_at = now() - interval '61 minutes'`);
  await seals.look();
  expect([seals.binds, warn.mock.calls.length]).toEqual([true, 2]);
  await seals.stop();
});
