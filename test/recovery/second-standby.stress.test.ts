import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { RehearsedPostgres } from './postgres.fixture.js';

/** What docs/recovery.md says of a second standby: the newer one is promoted, and the older one follows it. */
let folder: string;
let primary: RehearsedPostgres;
let promoted: RehearsedPostgres;
let other: RehearsedPostgres;

/** How a standby reaches another server as the role that replicates. */
function connectionTo({ url }: RehearsedPostgres): string {
  const own = new URL(url);
  own.username = 'replicator';
  own.password = 'only-replicates';
  return own.toString();
}

const follow = (from: RehearsedPostgres, slot: string): readonly string[] => [
  `primary_conninfo = '${connectionTo(from)}'`,
  `primary_slot_name = '${slot}'`,
];

/** Waits until so many standbys stream. */
const untilFollowed = (server: RehearsedPostgres, count: number): Promise<unknown> =>
  until(
    async () => (await server.query(`select 1 from pg_stat_replication where state = 'streaming'`)).length === count,
    `${count} standbys that stream`,
  );

async function run(server: RehearsedPostgres, ...statements: readonly string[]): Promise<void> {
  for (const statement of statements) await server.query(statement);
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-second-standby-'));
  chmodSync(folder, 0o755);
  primary = await RehearsedPostgres.create(path.join(folder, 'primary'), ['max_slot_wal_keep_size = 1GB']);
  await run(
    primary,
    `create role replicator replication login password 'only-replicates'`,
    `create table kept (word text)`,
    // Before the base backups, as `pg_basebackup --create-slot` does it: what is written meanwhile is kept for them.
    `select pg_create_physical_replication_slot('other', true)`,
    `select pg_create_physical_replication_slot('promoted', true)`,
  );
  await primary.baseBackup(path.join(folder, 'other'));
  await run(
    primary,
    `alter system set synchronous_standby_names = '*'`,
    `alter system set synchronous_commit = remote_apply`,
  );
  // Made after that, it has what `alter system` wrote.
  await primary.baseBackup(path.join(folder, 'promoted'));
  other = await RehearsedPostgres.recover(path.join(folder, 'other'), 'standby.signal', follow(primary, 'other'));
  promoted = await RehearsedPostgres.recover(
    path.join(folder, 'promoted'),
    'standby.signal',
    follow(primary, 'promoted'),
  );
  await untilFollowed(primary, 2);
  await run(primary, 'select pg_reload_conf()', `insert into kept values ('before')`);
}, 180_000);

afterAll(async () => {
  await Promise.all([promoted?.stop(), other?.stop(), primary?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const wordsOf = async (server: RehearsedPostgres): Promise<unknown[]> =>
  (await server.query('select word from kept order by 1')).map(({ word }) => word);

test('a standby that inherited the wait takes changes once that is reset, and the other one follows it', async () => {
  await until(async () => (await wordsOf(promoted)).length === 1, 'both to have the change');
  await primary.kill();
  expect(await promoted.query('show synchronous_standby_names')).toEqual([{ synchronous_standby_names: '*' }]);

  await run(promoted, 'alter system reset synchronous_standby_names', 'select pg_reload_conf()', 'select pg_promote()');
  await promoted.untilPrimary();
  await run(promoted, `set statement_timeout = '60s'; insert into kept values ('after')`);

  await run(promoted, `select pg_create_physical_replication_slot('other', true)`);
  await run(
    other,
    `alter system set primary_conninfo = '${connectionTo(promoted)}'`,
    `alter system set primary_slot_name = 'other'`,
    'select pg_reload_conf()',
  );
  await untilFollowed(promoted, 1);
  // With a standby again, the new primary may wait for it again.
  await run(promoted, `alter system set synchronous_standby_names = '*'`, 'select pg_reload_conf()');
  await until(
    async () => (await promoted.query('select sync_state from pg_stat_replication'))[0]?.['sync_state'] === 'sync',
    'a standby that is waited for',
  );
  await run(promoted, `insert into kept values ('with both')`);
  await until(async () => (await wordsOf(other)).length === 3, 'the other one to have all changes');
  expect(await wordsOf(other)).toEqual(['after', 'before', 'with both']);
}, 180_000);
