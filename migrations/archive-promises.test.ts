import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import type { Client } from 'pg';
import { ArchivePromises1763917000000 } from './1763917000000-archive-promises.js';
import { openOwnedDatabase, type OwnedDatabase } from './support/owned-database.fixture.js';

let database: OwnedDatabase;
let owner: Client;

beforeAll(async () => {
  database = await openOwnedDatabase();
  ({ owner } = database);
});

afterAll(() => database?.drop());

test('archives that were there are kept as long as their plan says now, and are unchangeable again', async () => {
  await owner.query(`
    drop trigger audit_archives_promised on audit_archives;
    drop function promise_archive();
    alter table audit_archives drop column kept_until`);
  await owner.query(
    `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, audit_archive_days)
     values ('month', 1, 1, 1, 64, 30)`,
  );
  const [onFree, onMonth] = [newId(), newId()];
  for (const [id, plan] of [
    [onFree, 'free'],
    [onMonth, 'month'],
  ]) {
    await owner.query(`insert into tenants (id, slug, name, plan) values ($1, $2, 'T', $2)`, [id, plan]);
    await owner.query(
      `insert into audit_archives (tenant_id, first_leaf, end_leaf, digest, bytes, content, created_at)
       values ($1, 0, 1, 'sha256:' || repeat('0', 64), 1, 'x', '2026-01-01Z')`,
      [id],
    );
  }
  await new ArchivePromises1763917000000().up(database.runner);
  const { rows } = await owner.query(
    `select tenant_id, (kept_until at time zone 'utc')::text as until from audit_archives order by kept_until`,
  );
  expect(rows).toEqual([
    { tenant_id: onMonth, until: '2026-01-31 00:00:00' },
    { tenant_id: onFree, until: 'infinity' },
  ]);
  await expect(owner.query(`update audit_archives set kept_until = now()`)).rejects.toThrow(/append-only/);
  const { rows: forced } = await owner.query(
    `select relforcerowsecurity as forced from pg_class where relname = 'audit_archives'`,
  );
  expect(forced).toEqual([{ forced: true }]);
});
