import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startUpstream, type Upstream } from '#libs/journey';
import { startWharf, until, type Wharf } from '#libs/testing';
import { asOwner } from '../journeys/connections.fixture.js';
import { openTestShop, type TestShop } from '../journeys/shop.js';
import { RehearsedPostgres } from './postgres.fixture.js';
import { Agent, Traffic } from './traffic.fixture.js';

/** Somebody deletes what they should not have: base backup and write-ahead log bring back the moment before. */
let folder: string;
let archive: string;
let upstream: Upstream;
let lost: RehearsedPostgres;
let recovered: RehearsedPostgres | undefined;
let wharf: Wharf;
let shop: TestShop;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-moment-'));
  chmodSync(folder, 0o755);
  archive = path.join(folder, 'archive');
  upstream = await startUpstream();
  lost = await RehearsedPostgres.create(path.join(folder, 'lost'), [
    `archive_mode = on`,
    `archive_command = 'test ! -f ${archive}/%f && cp %p ${archive}/%f'`,
    `archive_timeout = 60s`,
  ]);
  lost.provideFolder(archive);
  wharf = await startWharf({ environment: { DATABASE_URL: lost.url } });
  shop = await openTestShop(wharf, upstream, 'kept');
}, 180_000);

afterAll(async () => {
  await wharf?.stop();
  await Promise.all([lost?.stop(), recovered?.stop(), upstream?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

interface Checkpoint {
  readonly size: number;
  readonly note: string;
}

async function checkpointsOf({ url }: Wharf): Promise<readonly Checkpoint[]> {
  const headers = { authorization: `Bearer ${shop.apiKey.text}` };
  const response = await fetch(`${url}/v1/audit/checkpoints?limit=100`, { headers });
  return ((await response.json()) as { checkpoints: Checkpoint[] }).checkpoints; // the API's own shape
}

test('a base backup under traffic and the archived log bring back the moment before a mistake, with the tenant’s checkpoints', async () => {
  const traffic = await Traffic.start(wharf, shop);
  await until(() => traffic.done.calls > 5, 'calls before the base backup');
  await lost.baseBackup(path.join(folder, 'recovered'));
  const calls = traffic.done.calls;
  await until(() => traffic.done.calls > calls + 20, 'calls after it');
  const { writes, failed } = await traffic.stop();
  const kept = await until(async () => {
    await asOwner({ ...wharf, databaseUrl: lost.url }, (owner) =>
      owner.query(`update audit_trees set checkpoint_at = now() - interval '61 seconds'`),
    );
    const signed = await checkpointsOf(wharf);
    return (signed[0]?.size ?? 0) > 20 ? signed : undefined;
  }, 'a checkpoint');
  const [moment] = await lost.query('select clock_timestamp()::text as at');
  await lost.query('drop schema public cascade');
  const [last] = await lost.query('select pg_walfile_name(pg_switch_wal()) as file');
  await until(
    async () =>
      ((await lost.query('select last_archived_wal as file from pg_stat_archiver'))[0]?.['file'] ?? '') >=
      (last?.['file'] ?? '~'),
    'the archived log',
  );
  await wharf.stop();
  await lost.kill();

  const startedMs = performance.now();
  recovered = await RehearsedPostgres.recover(path.join(folder, 'recovered'), 'recovery.signal', [
    `restore_command = 'cp ${archive}/%f %p'`,
    `recovery_target_time = '${moment?.['at']}'`,
    `recovery_target_action = promote`,
    `archive_mode = off`,
  ]);
  await recovered.untilPrimary();
  const recoveredMs = performance.now() - startedMs;
  wharf = await startWharf({ environment: { DATABASE_URL: recovered.url } });
  expect(await (await Agent.connect(wharf, shop)).call()).toBe(true);
  const servedMs = performance.now() - startedMs;
  const again = await checkpointsOf(wharf);
  for (const checkpoint of kept) expect(again).toContainEqual(expect.objectContaining(checkpoint));
  const names = new Set((await recovered.query('select name from secrets')).map((row) => row['name']));
  expect(writes.filter((name) => !names.has(name))).toEqual([]);
  process.stdout.write(
    `  ${writes.length} writes until the moment are back, ${failed} failed under the base backup; recovered in ${Math.round(recoveredMs)} ms, first call of an agent after ${Math.round(servedMs)} ms\n`,
  );
}, 300_000);
