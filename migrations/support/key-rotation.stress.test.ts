import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MasterKeys, Secret } from '#libs/config';
import { Database, listenForChanges, newId, type ChangeListener } from '#libs/database';
import { openDataFolder, startPostgres } from '#libs/embedded';
import { until } from '#libs/testing';
import { Client } from 'pg';
import { migrate } from './migrate.js';

/** With a PostgreSQL of its own: the roles' passwords belong to the whole server. */
const OLD = Buffer.alloc(32, 1).toString('base64');
const NEW = Buffer.alloc(32, 2).toString('base64');
const old = new MasterKeys(OLD);
const both = new MasterKeys(OLD, [new Secret(NEW)]);
const turned = new MasterKeys(NEW, [new Secret(OLD)]);

let folder: string;
let postgres: Awaited<ReturnType<typeof startPostgres>>;
let owner: Client;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-keys-'));
  postgres = await startPostgres(openDataFolder(folder), 'disposable');
  await migrate(postgres.url, old);
  owner = new Client({ connectionString: postgres.url });
  await owner.connect();
}, 120_000);

afterAll(async () => {
  await owner?.end();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function endConnections(): Promise<void> {
  await owner.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename like 'wharf_%'`);
}

test('services that know both keys go on when the roles get the new key’s passwords, and back', async () => {
  await migrate(postgres.url, both);
  const options = { databaseUrl: postgres.url, role: 'wharf_control', masterKey: both } as const;
  const service = await Database.connect({ ...options, poolSize: 4 });
  const alone = await Database.connect({ ...options, masterKey: old, poolSize: 1 });
  const heard: string[] = [];
  const listener: ChangeListener = await listenForChanges({ ...options, onChange: (tenant) => heard.push(tenant) });
  for (const ring of [turned, both]) {
    await migrate(postgres.url, ring);
    heard.length = 0;
    await endConnections();
    await until(async () => {
      const asked = Array.from({ length: 8 }, () => service.asService((tx) => tx.query('select 1')));
      return (await Promise.allSettled(asked)).every(({ status }) => status === 'fulfilled');
    }, 'a service that knows both keys');
    await until(() => listener.connected && heard.includes('*'), 'its listener');
    if (ring === turned)
      await expect(alone.asService((tx) => tx.query('select 1'))).rejects.toMatchObject({ code: 'unavailable' });
  }
  await until(
    () => alone.asService((tx) => tx.query('select 1')).catch(() => undefined),
    'who knows the old key alone',
  );
  await Promise.all([service.close(), alone.close(), listener.close()]);
}, 120_000);

test('a key alone that rows are not sealed under is refused, and the passwords stay', async () => {
  await migrate(postgres.url, turned);
  await expect(migrate(postgres.url, old)).rejects.toThrow(/still sealed under master key/);
  await expect(migrate(postgres.url, new MasterKeys(NEW))).rejects.toThrow(/still sealed under master key/);
  await expect(migrate(postgres.url, new MasterKeys(Buffer.alloc(32, 9).toString('base64')))).rejects.toThrow(
    /not the key that this database was set up with/,
  );
  const database = await Database.connect({ databaseUrl: postgres.url, role: 'wharf_gateway', masterKey: turned });
  await database.asTenant(newId(), (tx) => tx.query('select 1'));
  await database.close();
  const stranger = { databaseUrl: postgres.url, role: 'wharf_gateway', masterKey: old } as const;
  await expect(Database.connect(stranger)).rejects.toThrow(
    /refuses the password of wharf_gateway .*run `npm run migrate`/,
  );
}, 120_000);
