import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { Database } from '#libs/database';
import { testDatabase, until, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import type { QueryRunner } from 'typeorm';
import { HoldersOfSecrets1763967000000 } from '../1763967000000-holders-of-secrets.js';
import { migrate } from './migrate.js';

let database: TestDatabase;
const otherKey = new Secret(Buffer.alloc(32, 9).toString('base64'));

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

test('migrating again changes nothing', async () => {
  expect(await migrate(database.databaseUrl, database.masterKey)).toEqual([]);
});

test('another master key is refused, and the services go on working', async () => {
  await expect(migrate(database.databaseUrl, otherKey)).rejects.toThrow(
    /not the key that this database was set up with/,
  );
  const gateway = await Database.connect({ ...database, role: 'wharf_gateway', poolSize: 1 });
  await gateway.asService((tx) => tx.query('select 1'));
  await gateway.close();
});

test('a second installation on the same server is refused with another key, and shares the server with the same one', async () => {
  const owner = new Client({ connectionString: database.databaseUrl });
  await owner.connect();
  const name = `second_${process.pid}`;
  await owner.query(`create database ${name}`);
  const url = new URL(database.databaseUrl);
  url.pathname = `/${name}`;
  await expect(migrate(url.toString(), otherKey)).rejects.toThrow(/Another Wharf with another WHARF_MASTER_KEY/);
  expect(await migrate(url.toString(), database.masterKey)).not.toEqual([]);
  await owner.query(`drop database ${name} with (force)`);
  await owner.end();
});

test('a migration that waits for a table in use lets others by, and is done once the table is free', async () => {
  const [owner, user, reader] = [0, 1, 2].map(() => new Client({ connectionString: database.databaseUrl }));
  if (owner === undefined || user === undefined || reader === undefined) throw new Error('there are three');
  await Promise.all([owner, user, reader].map((client) => client.connect()));
  const { name } = HoldersOfSecrets1763967000000;
  await new HoldersOfSecrets1763967000000().down(owner as unknown as QueryRunner); // it is asked for queries alone
  await owner.query(`delete from migrations where name = $1`, [name]);
  await user.query(`begin; lock table clients in access share mode`);
  const migrated = migrate(database.databaseUrl, database.masterKey, { lockTimeoutMs: 1_000 });
  await until(async () => {
    const { rows } = await owner.query(`select from pg_locks where relation = 'clients'::regclass and not granted`);
    return rows.length > 0;
  });
  await reader.query(`select from clients`);
  await user.query(`commit`);
  expect(await migrated).toEqual([name]);
  await Promise.all([owner, user, reader].map((client) => client.end()));
});
