import { mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startUpstream, type Upstream } from '#libs/journey';
import { startWharf, until, type Wharf } from '#libs/testing';
import { TcpProxy } from '../faults/network/tcp-proxy.js';
import { openTestShop, type TestShop } from '../journeys/shop.js';
import { RehearsedPostgres } from './postgres.fixture.js';
import { Traffic } from './traffic.fixture.js';

/** The runbook of docs/recovery.md, step by step: the primary is lost under traffic, and the standby takes over. */
let folder: string;
let upstream: Upstream;
let primary: RehearsedPostgres;
let standby: RehearsedPostgres;
let name: TcpProxy;
let wharf: Wharf;
let shop: TestShop;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-standby-'));
  chmodSync(folder, 0o755);
  upstream = await startUpstream();
  primary = await RehearsedPostgres.create(path.join(folder, 'primary'), ['wal_keep_size = 256MB']);
  await primary.baseBackup(path.join(folder, 'standby'));
  standby = await RehearsedPostgres.recover(path.join(folder, 'standby'), 'standby.signal', [
    `primary_conninfo = '${primary.url}'`,
  ]);
  await until(
    async () => (await primary.query('select state from pg_stat_replication'))[0]?.['state'] === 'streaming',
    'a standby that streams',
  );
  await primary.query(`alter system set synchronous_standby_names = '*'`);
  await primary.query(`alter system set synchronous_commit = remote_apply`);
  await primary.query('select pg_reload_conf()');
  name = await TcpProxy.open(primary.port);
  const url = new URL(primary.url);
  url.port = String(name.port);
  wharf = await startWharf({ environment: { DATABASE_URL: url.toString() } });
  shop = await openTestShop(wharf, upstream, 'kept');
}, 180_000);

afterAll(async () => {
  await wharf?.stop();
  await name?.close();
  await Promise.all([standby?.stop(), primary?.stop(), upstream?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const count = async (sql: string): Promise<number> => Number((await standby.query(sql))[0]?.['count']);

test('the primary is lost under traffic: the standby is promoted, services follow by themselves, and nothing that was acknowledged is missing', async () => {
  const traffic = await Traffic.start(wharf, shop);
  await until(() => traffic.done.writes.length > 10 && traffic.done.calls > 10, 'traffic');
  const lostMs = performance.now();
  await primary.kill();
  const before = { writes: traffic.done.writes.length, calls: traffic.done.calls };
  // Agents of a warm tenant are served meanwhile, from cached routes and keys, with their records in the spool.
  await until(() => traffic.done.calls > before.calls, 'a call while there is no primary').catch((error: unknown) => {
    throw new Error(`${String(error)} ${traffic.done.lastFailure}`, { cause: error });
  });
  const servedMs = performance.now() - lostMs;
  const promotedMs = performance.now();
  await standby.query('select pg_promote()');
  name.aim(standby.port);
  await until(() => traffic.done.writes.length > before.writes, 'a write at the new primary');
  const writtenMs = performance.now() - promotedMs;
  const { writes, calls, failed } = await traffic.stop();

  const kept = new Set(
    (await standby.query(`select name from secrets where name like 'kept%'`)).map((row) => row['name']),
  );
  expect(writes.filter((write) => !kept.has(write))).toEqual([]);
  const recorded = `select count(*) from audit_log where event = 'call.completed' and outcome = 'ok'`;
  await until(async () => (await count(recorded)) >= calls, 'the record of every answered call');
  process.stdout.write(
    `  ${writes.length} writes and ${calls} calls acknowledged, 0 lost; ${failed} refused meanwhile; agents served ${Math.round(servedMs)} ms after the loss, writes ${Math.round(writtenMs)} ms after the promotion began\n`,
  );
}, 300_000);
