import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import { testHomes, until, type TestHomes } from '#libs/testing';
import { Client } from 'pg';

/** A tenant's own database is closed, renamed or dropped under services that work with it. */
let homes: TestHomes;
let database: Database;
let server: Client;
let own: string;
const tenantId = newId();

beforeAll(async () => {
  homes = await testHomes();
  own = new URL(homes.own.databaseUrl).pathname.slice(1);
  server = new Client({ connectionString: homes.common.databaseUrl });
  await server.connect();
  await server.query(`insert into tenants (id, slug, name) values ($1, 'closed', 'Closed')`, [tenantId]);
  await homes.settle(tenantId);
});

afterAll(async () => {
  await server?.end();
  await homes?.drop();
});

beforeEach(async () => {
  database = await Database.connect({ ...homes.common, role: 'wharf_control', dedicated: homes.dedicated });
  await work();
  expect(await database.dedicatedState()).toBe('ok');
});

afterEach(() => database.close());

const work = () => database.asTenant(tenantId, (tx) => tx.query(`select 1 as one`));
const AWAY = 'warning: dedicated databases do not answer: own';

/** A database can be renamed while nobody is connected; services connect again at once. */
async function rename(from: string, to: string): Promise<void> {
  await server.query(`alter database ${from} allow_connections false`);
  await endConnections(from);
  await server.query(`alter database ${from} rename to ${to}`);
  await server.query(`alter database ${to} allow_connections true`);
}

const endConnections = (name: string) =>
  server.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1`, [name]);

test.each([
  [
    'takes no connections',
    async () => {
      await server.query(`alter database ${own} allow_connections false`);
      await endConnections(own);
    },
    () => server.query(`alter database ${own} allow_connections true`),
  ],
  ['is not there', () => rename(own, `${own}_away`), () => rename(`${own}_away`, own)],
])(
  'a database that %s is answered as one that is away, readiness warns of it, and both end with it',
  async (_what, away, back) => {
    await away();
    const refused = { code: 'unavailable', status: 503, retryAfterSeconds: 5 };
    // The first to come may still be given a connection that has ended.
    for (let times = 0; times < 3; times += 1) await expect(work()).rejects.toMatchObject(refused);
    expect(await database.dedicatedState()).toBe(AWAY);
    expect(await database.everywhere((tx) => tx.query(`select 1 as one`))).toHaveLength(1);
    await back();
    await until(() => work().catch(() => undefined), 'the tenant’s database');
    expect(await database.dedicatedState()).toBe('ok');
  },
);

test('one that nobody asks anything is warned of by whoever hears of its changes', async () => {
  const listener = await database.listen('wharf_changes', () => undefined);
  await until(() => listener.connected, 'the listener');
  await server.query(`alter database ${own} allow_connections false`);
  await endConnections(own);
  await until(async () => (await database.dedicatedState()) === AWAY, 'the warning');
  await server.query(`alter database ${own} allow_connections true`);
  await until(async () => (await database.dedicatedState()) === 'ok', 'its end');
  await listener.close();
});

test('one that was lost and comes back as another database is warned of, and keeps no service from being ready', async () => {
  await rename(own, `${own}_away`);
  await expect(work()).rejects.toMatchObject({ code: 'unavailable' });
  await server.query(`create database ${own}`);
  expect(await database.dedicatedState()).toBe(AWAY);
  await expect(work()).rejects.toThrow();
  expect(await database.dedicatedState()).toBe(AWAY);
  await server.query(`drop database ${own} with (force)`);
  await rename(`${own}_away`, own);
  await until(() => work().catch(() => undefined), 'the tenant’s database');
  await until(async () => (await database.dedicatedState()) === 'ok', 'the end of the warning');
});
