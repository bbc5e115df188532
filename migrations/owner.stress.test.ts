import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { openDataFolder, startPostgres, type EmbeddedServer } from '#libs/embedded';
import { migrate, MIGRATION_NAMES } from '#migrations';
import { Client } from 'pg';

/** As providers of PostgreSQL give it: nobody is a superuser. A server of its own, for roles are of a whole one. */
const KEY = new Secret('b25seS1vbi15b3VyLW1hY2hpbmUtbWFzdGVyLWtleSE=');

let folder: string;
let server: EmbeddedServer;
let administrator: Client;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-owner-'));
  server = await startPostgres(openDataFolder(folder), 'disposable');
  administrator = new Client({ connectionString: server.url });
  await administrator.connect();
  await administrator.query(`create role keeper login createrole password 'x'`);
  await administrator.query(`create database kept owner keeper`);
}, 120_000);

afterAll(async () => {
  await administrator?.end();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const urlOfKeeper = (): string =>
  Object.assign(new URL(server.url), { username: 'keeper', password: 'x', pathname: '/kept' }).href;

test('an owner from whom tenants’ rows are hidden is told what to be granted, and changes nothing', async () => {
  await expect(migrate(urlOfKeeper(), KEY)).rejects.toThrow(
    'The role keeper of DATABASE_URL may not migrate; as an administrator: alter role keeper createrole bypassrls',
  );
  const { rows } = await administrator.query(`select from pg_roles where rolname ~ '^wharf_'`);
  expect(rows).toEqual([]);
});

test('an owner that is no superuser brings an empty database to this version, and again to the next', async () => {
  await administrator.query(`alter role keeper createrole bypassrls`);
  expect(await migrate(urlOfKeeper(), KEY)).toEqual(MIGRATION_NAMES);
  expect(await migrate(urlOfKeeper(), KEY)).toEqual([]);
  const { rows } = await administrator.query(
    `select bool_or(rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolinherit) as strong, bool_and(rolcanlogin) as login
     from pg_roles where rolname ~ '^wharf_'`,
  );
  expect(rows).toEqual([{ strong: false, login: true }]);
});

test('a service’s role that somebody has made strong is made weak again, or nobody migrates', async () => {
  const { rows } = await administrator.query<{ name: string }>(
    `select rolname as name from pg_roles where rolname ~ '^wharf_' order by rolname limit 1`,
  );
  const [{ name } = { name: '' }] = rows;
  await administrator.query(`alter role ${name} bypassrls`);
  await migrate(Object.assign(new URL(server.url), { pathname: '/kept' }).href, KEY);
  const after = await administrator.query(`select rolbypassrls as strong from pg_roles where rolname = $1`, [name]);
  expect(after.rows).toEqual([{ strong: false }]);
  await administrator.query(`alter role ${name} superuser`);
  await expect(migrate(urlOfKeeper(), KEY)).rejects.toThrow(/permission denied to alter role/);
});
