import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { RehearsedPostgres } from './postgres.fixture.js';

/** What docs/recovery.md says of two standbys: the newer one is promoted, and the older one follows it. Its statements are run as they stand there. */
const RUNBOOK = readFileSync('docs/recovery.md', 'utf8').split('\n## A standby\n')[1]?.split('\n## ')[0] ?? '';
const PASSWORD = 'only-replicates';

/** The statements of the one block that has these words, with what the reader fills in. */
function statementsWith(words: string, filled: Readonly<Record<string, string>> = {}): string {
  const blocks = [...RUNBOOK.matchAll(/^ *```sql\n(.*?)^ *```/gms)].map(([, block = '']) => block);
  const found = blocks.filter((block) => block.includes(words));
  expect([words, found.length]).toEqual([words, 1]);
  return Object.entries(filled).reduce((text, [blank, value]) => text.replaceAll(blank, value), found[0] ?? '');
}

let folder: string;
let primary: RehearsedPostgres;
let promoted: RehearsedPostgres;
let other: RehearsedPostgres;

/** How a standby reaches another server as the role that replicates. */
function connectionTo({ url }: RehearsedPostgres): string {
  const own = new URL(url);
  own.username = 'replicator';
  own.password = PASSWORD;
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

/** One after the other: some of them must not stand in a transaction with others. */
async function run(server: RehearsedPostgres, ...texts: readonly string[]): Promise<void> {
  for (const statement of texts.flatMap((text) => text.split(';')))
    if (statement.trim() !== '') await server.query(statement);
}

/** What the primary says of those that follow it. */
const lag = (server: RehearsedPostgres) => server.query(statementsWith('bytes_behind'));

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-second-standby-'));
  chmodSync(folder, 0o755);
  primary = await RehearsedPostgres.create(path.join(folder, 'primary'), []);
  await run(
    primary,
    statementsWith('create role', { '…': PASSWORD }),
    'select pg_reload_conf()',
    `create table kept (word text)`,
    // Before the base backups, as `pg_basebackup --create-slot` does it: what is written meanwhile is kept for them.
    `select pg_create_physical_replication_slot('standby_b', true)`,
    `select pg_create_physical_replication_slot('standby_a', true)`,
  );
  await primary.baseBackup(path.join(folder, 'other'));
  await run(primary, statementsWith('remote_apply').replace('select pg_reload_conf();', ''));
  // Made after that, it has what `alter system` wrote.
  await primary.baseBackup(path.join(folder, 'promoted'));
  other = await RehearsedPostgres.recover(path.join(folder, 'other'), 'standby.signal', follow(primary, 'standby_b'));
  promoted = await RehearsedPostgres.recover(
    path.join(folder, 'promoted'),
    'standby.signal',
    follow(primary, 'standby_a'),
  );
  await untilFollowed(primary, 2);
  const followers = await lag(primary);
  expect(followers.map(({ slot_name: slot, active, state }) => [slot, active, state]).toSorted()).toEqual([
    ['standby_a', true, 'streaming'],
    ['standby_b', true, 'streaming'],
  ]);
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

  const has = await Promise.all(
    [promoted, other].map(async (server) => (await server.query(statementsWith('greatest')))[0]?.['greatest']),
  );
  expect(has).toEqual([expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/), has[0]]);
  await run(promoted, statementsWith('pg_promote'));
  await promoted.untilPrimary();
  await run(promoted, `set statement_timeout = '60s'`, `insert into kept values ('after')`);

  await run(promoted, statementsWith('pg_create_physical_replication_slot'));
  // On one machine without TLS it is the address that differs.
  const conninfo = 'host=… user=replicator password=… sslmode=require';
  await run(other, statementsWith('primary_conninfo', { [conninfo]: connectionTo(promoted) }));
  await untilFollowed(promoted, 1);
  // With a standby again, the new primary may wait for it again.
  await run(promoted, statementsWith('remote_apply'));
  await until(
    async () => (await promoted.query('select sync_state from pg_stat_replication'))[0]?.['sync_state'] === 'sync',
    'a standby that is waited for',
  );
  expect(await lag(promoted)).toEqual([
    expect.objectContaining({ slot_name: 'standby_b', active: true, wal_status: 'reserved', sync_state: 'sync' }),
  ]);
  await run(promoted, `insert into kept values ('with both')`);
  await until(async () => (await wordsOf(other)).length === 3, 'the other one to have all changes');
  expect(await wordsOf(other)).toEqual(['after', 'before', 'with both']);
}, 180_000);

test('the line of pg_hba.conf says what it is to say: replication by that role, over TLS, with a password', async () => {
  const line = /^hostssl .*$/m.exec(RUNBOOK)?.[0] ?? '';
  appendFileSync(path.join(promoted.cluster, 'pg_hba.conf'), `${line}\n`);
  const rules = await promoted.query(
    `select type, database, user_name, address, auth_method, error from pg_hba_file_rules order by line_number desc limit 1`,
  );
  expect(rules).toEqual([
    {
      type: 'hostssl',
      database: ['replication'],
      user_name: ['replicator'],
      address: '10.0.0.0',
      auth_method: 'scram-sha-256',
      // As this server has no TLS, which the page has the reader look for.
      error: 'hostssl record cannot match because SSL is disabled',
    },
  ]);
});
