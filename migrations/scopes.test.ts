import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { sha256Digest } from '#libs/protocol';
import type { Client } from 'pg';
import { Scopes1763743000000 } from './1763743000000-scopes.js';
import { openOwnedDatabase, type OwnedDatabase } from './support/owned-database.fixture.js';

let database: OwnedDatabase;
let owner: Client;

beforeAll(async () => {
  database = await openOwnedDatabase();
  ({ owner } = database);
});

afterAll(() => database?.drop());

test('servers that were there go on writing, and their releases are told apart by what their manifests say', async () => {
  const migration = new Scopes1763743000000();
  await migration.down(database.runner);
  const [tenant, server, release, empty] = [newId(), newId(), newId(), newId()];
  const manifest = JSON.stringify({
    tools: [
      { name: 'get', http: { method: 'GET' } },
      { name: 'post', http: { method: 'POST' } },
      { name: 'search', annotations: { readOnlyHint: true }, http: { method: 'POST' } },
      { name: 'visit', annotations: { readOnlyHint: false }, http: { method: 'GET' } },
      { name: 'bundled', description: 'nul \u0000, half \ud800, written \\u0000', annotations: {} },
    ],
  });
  await owner.query(`insert into tenants (id, slug, name) values ($1, 'old', 'Old')`, [tenant]);
  await owner.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, 'shop', 'S')`, [tenant, server]);
  for (const [id, content, number] of [
    [release, manifest, 1],
    [empty, '{"tools":[]}', 2],
  ] as const) {
    const digest = sha256Digest(content);
    await owner.query(
      `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', 1, $3)`,
      [tenant, digest, Buffer.from(content)],
    );
    await owner.query(
      `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by)
       values ($1, $2, $3, $4, 'http', $5, 'ready', '{}', '{}')`,
      [tenant, id, server, number, digest],
    );
  }
  await migration.up(database.runner);
  const { rows: servers } = await owner.query(`select writes, asks_for, tool_groups from servers`);
  expect(servers).toEqual([{ writes: true, asks_for: 'read', tool_groups: {} }]);
  const { rows } = await owner.query(`select tools from releases order by number`);
  expect(rows).toEqual([
    { tools: { get: 'read', post: 'write', search: 'read', visit: 'write', bundled: 'write' } },
    { tools: {} },
  ]);
  const { rows: forced } = await owner.query(
    `select relforcerowsecurity as forced from pg_class where relname in ('releases', 'blobs')`,
  );
  expect(forced).toEqual([{ forced: true }, { forced: true }]);
});
