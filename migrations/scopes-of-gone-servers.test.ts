import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import type { Client } from 'pg';
import { ScopesOfGoneServers1763969100000 } from './1763969100000-scopes-of-gone-servers.js';
import { openOwnedDatabase, type OwnedDatabase } from './support/owned-database.fixture.js';

let database: OwnedDatabase;
let owner: Client;

beforeAll(async () => {
  database = await openOwnedDatabase();
  ({ owner } = database);
});

afterAll(() => database?.drop());

test('keys and clients lose the scopes of servers that are gone, each by the servers of its own tenant', async () => {
  const [tenant, other] = [newId(), newId()];
  for (const [id, slug] of [
    [tenant, 'mine'],
    [other, 'theirs'],
  ] as const) {
    await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id.slice(-12)}`]);
    await owner.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, $3, 'S')`, [id, newId(), slug]);
  }
  const cases = [
    [['mine:read', 'theirs:read', 'gone:write'], ['mine:read'], false],
    [['gone:read'], ['gone:read'], true],
    [['mcp', 'mcp:read', 'management'], ['mcp', 'mcp:read', 'management'], false],
  ] as const;
  for (const [at, [scopes]] of cases.entries()) {
    await owner.query(
      `insert into api_keys (tenant_id, id, name, key_hash, prefix, scopes) values ($1, $2, $3, $4, 'p', $5)`,
      [tenant, newId(), `k${at}`, newId(), scopes],
    );
    await owner.query(
      `insert into clients (tenant_id, id, kind, name, auth_method, redirect_uris, scopes, secret_hash)
       values ($1, $2, 'machine', 'C', 'client_secret_basic', '{}', $3, repeat('a', 64))`,
      [tenant, `c${at}`, scopes],
    );
  }
  await new ScopesOfGoneServers1763969100000().up(database.runner);
  const keys = await owner.query(`select scopes, revoked_at is not null as revoked from api_keys order by name`);
  expect(keys.rows).toEqual(cases.map(([, scopes, revoked]) => ({ scopes, revoked })));
  const clients = await owner.query(`select scopes, enabled from clients order by id`);
  expect(clients.rows).toEqual(
    cases.map(([, scopes, disabled]) => ({ scopes: disabled ? [] : scopes, enabled: !disabled })),
  );
});
