import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
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
  const written = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const migrated = migrate(database.databaseUrl, database.masterKey);
  await until(async () => {
    const { rows } = await owner.query(`select from pg_locks where relation = 'clients'::regclass and not granted`);
    return rows.length > 0;
  });
  await reader.query(`select from clients`);
  const tries = new Set<string>();
  await until(async () => {
    const { rows } = await owner.query<{ since: string }>(
      `select a.xact_start::text as since from pg_locks l join pg_stat_activity a using (pid)
       where l.relation = 'clients'::regclass and not l.granted`,
    );
    for (const { since } of rows) tries.add(since);
    return tries.size > 2;
  }, 'the migration to have tried again');
  await user.query(`commit`);
  expect(await migrated).toEqual([name]);
  // To let others by is no failure, and what TypeORM would say of it goes past our log.
  expect(written.mock.calls).toEqual([]);
  written.mockRestore();
  await Promise.all([owner, user, reader].map((client) => client.end()));
});

test('a migration that fails is named', async () => {
  const owner = new Client({ connectionString: database.databaseUrl });
  await owner.connect();
  await owner.query(`delete from migrations where name = 'PastMembers1763968000000'`);
  const failed = migrate(database.databaseUrl, database.masterKey);
  await expect(failed).rejects.toThrow(/PastMembers1763968000000 failed: relation "past_members" already exists/);
  await owner.query(`insert into migrations (timestamp, name) values (1763968000000, 'PastMembers1763968000000')`);
  await owner.end();
});
