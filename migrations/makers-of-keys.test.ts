import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import type { QueryRunner } from 'typeorm';
import { MakersOfKeys1763962000000 } from './1763962000000-makers-of-keys.js';

let database: TestDatabase;
let owner: Client;

beforeAll(async () => {
  database = await testDatabase();
  owner = new Client({ connectionString: database.databaseUrl });
  await owner.connect();
});

afterAll(async () => {
  await owner?.end();
  await database?.drop();
});

test('whose the keys and clients are that were there is taken from the log, through keys that made keys, within each tenant', async () => {
  const migration = new MakersOfKeys1763962000000();
  const runner = { query: (text: string) => owner.query(text) } as unknown as QueryRunner; // it is asked for nothing else
  await migration.down(runner);
  const [tenant, other, ada, bob] = [newId(), newId(), newId(), newId()];
  const [first, second, successor, unknown] = [newId(), newId(), newId(), newId()];
  for (const id of [tenant, other])
    await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id.slice(-12)}`]);
  for (const id of [first, second, successor, unknown])
    await owner.query(
      `insert into api_keys (tenant_id, id, name, key_hash, prefix, scopes) values ($1, $2, 'k', $3, 'p', '{mcp}')`,
      [tenant, id, id],
    );
  await owner.query(
    `insert into clients (tenant_id, id, kind, name, auth_method, redirect_uris, scopes)
     values ($1, 'c-1', 'public', 'C', 'none', '{}', '{mcp}')`,
    [tenant],
  );
  const by = (kind: string, id: string) => ({ kind, id });
  await logged(tenant, 'api_key.created', by('person', ada), `api_key:${first}`);
  await logged(tenant, 'api_key.created', by('api-key', first), `api_key:${second}`);
  await logged(tenant, 'api_key.rotated', by('person', bob), `api_key:${second}`, { successor });
  await logged(tenant, 'client.created', by('person', bob), 'client:c-1');
  await logged(other, 'api_key.created', by('person', bob), `api_key:${unknown}`);
  await migration.up(runner);
  const { rows } = await owner.query(`select id, created_by from api_keys where tenant_id = $1`, [tenant]);
  const makers = Object.fromEntries(rows.map(({ id, created_by: maker }) => [id, maker]));
  expect(makers).toEqual({ [first]: ada, [second]: ada, [successor]: bob, [unknown]: null });
  const { rows: clients } = await owner.query(`select created_by from clients`);
  expect(clients).toEqual([{ created_by: bob }]);
  const { rows: forced } = await owner.query(
    `select bool_and(relforcerowsecurity) as all from pg_class where relname in ('tenants', 'api_keys', 'clients', 'audit_log')`,
  );
  expect(forced).toEqual([{ all: true }]);
});

let leaf = 0;
async function logged(tenant: string, event: string, actor: object, target: string, details: object = {}) {
  leaf += 1;
  await owner.query(
    `insert into audit_log (tenant_id, id, leaf_index, at, event, actor, target, outcome, details)
     values ($1, $2, $3, now(), $4, $5, $6, 'ok', $7)`,
    [tenant, newId(), leaf, event, JSON.stringify(actor), target, JSON.stringify(details)],
  );
}
