import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import type { Client } from 'pg';
import type { QueryRunner } from 'typeorm';
import { MakersFromTheLog1763967100000 } from './1763967100000-makers-from-the-log.js';
import { openOwnedDatabase, type OwnedDatabase } from './support/owned-database.fixture.js';

let database: OwnedDatabase;
let owner: Client;

beforeAll(async () => {
  database = await openOwnedDatabase();
  ({ owner } = database);
});

afterAll(() => database?.drop());

test('whose the keys and clients are that were there is taken from the log, through keys that made keys, within each tenant', async () => {
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
  // What says no id is passed over.
  await logged(tenant, 'api_key.created', by('person', 'somebody'), `api_key:${unknown}`);
  await logged(tenant, 'api_key.rotated', by('api-key', 'bootstrap'), `api_key:${unknown}`, { successor: 'lost' });
  const held = await asKeeper(async (runner) => {
    await new MakersFromTheLog1763967100000().up(runner);
    return runner.query(
      `select distinct mode from pg_locks where relation::regclass::text in ('tenants', 'api_keys', 'clients', 'audit_log') order by 1`,
    );
  });
  expect(held).toEqual([{ mode: 'AccessShareLock' }, { mode: 'RowExclusiveLock' }, { mode: 'RowShareLock' }]);
  const { rows } = await owner.query(`select id, created_by from api_keys where tenant_id = $1`, [tenant]);
  const makers = Object.fromEntries(rows.map(({ id, created_by: maker }) => [id, maker]));
  expect(makers).toEqual({ [first]: ada, [second]: ada, [successor]: bob, [unknown]: null });
  const { rows: clients } = await owner.query(`select created_by from clients`);
  expect(clients).toEqual([{ created_by: bob }]);
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

/** Within a transaction of a role that may do what `migrate` asks of an owner, and is no superuser. */
async function asKeeper<Result>(work: (runner: QueryRunner) => Promise<Result>): Promise<Result> {
  const keeper = `keeper_${newId().slice(-12)}`;
  await owner.query(`create role ${keeper} bypassrls`);
  try {
    await owner.query(`grant select, update on tenants, api_keys, clients, audit_log to ${keeper}`);
    await owner.query(`begin`);
    await owner.query(`set local role ${keeper}`);
    const result = await work(database.runner);
    await owner.query(`commit`);
    return result;
  } finally {
    await owner.query(`rollback`);
    await owner.query(`drop owned by ${keeper}`);
    await owner.query(`drop role ${keeper}`);
  }
}
