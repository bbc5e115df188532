import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { Database } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
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
