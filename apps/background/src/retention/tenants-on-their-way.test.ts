import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import { claimJobs, returnJobs } from '#libs/jobs';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { ProbeRetention } from '../probes/probe-retention.js';
import { DeliveryRetention } from '../webhooks/delivery-retention.js';
import { IdempotencyRetention } from './idempotency-retention.js';
import { PastMemberRetention } from './past-member-retention.js';
import { Retention } from './retention.js';
import { RollupRetention } from './rollup-retention.js';
import { UsageRetention } from './usage-retention.js';

/** Two tenants have old rows, one of them more than a batch; that one is on its way to another database. */
const [leaving, staying] = [newId(), newId()];
const ROWS = 1_100;
let store: TestDatabase;
let background: Database;
let owner: Client;

beforeAll(async () => {
  store = await testDatabase();
  background = await Database.connect({ ...store, role: 'wharf_background', poolSize: 2 });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  await owner.query(`set session_replication_role = replica`);
  for (const id of [leaving, staying])
    await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
});
afterAll(async () => {
  await owner?.end();
  await background?.close();
  await store?.drop();
});
beforeEach(() =>
  owner.query(
    `insert into tenant_homes (tenant_id, database, state) values ('${leaving}', 'own', 'leaving') on conflict do nothing`,
  ),
);

const logger = createLogger('background', 'silent');
const OLD: Readonly<Record<string, { readonly columns: string; readonly values: string; sweep(): Promise<number> }>> = {
  call_rollups: {
    columns: 'minute, server, tool',
    values: `now() - make_interval(days => 60 + n), 's', 't'`,
    sweep: () => new RollupRetention(background, logger).sweep(),
  },
  usage_hours: {
    columns: 'hour, server, tool, client, calls, failed, tool_ms, bytes_in, bytes_out',
    values: `now() - interval '30 months' - make_interval(hours => n), 's', 't', 'c', 1, 0, 1, 1, 1`,
    sweep: () => new UsageRetention(background, logger).sweep(),
  },
  idempotency_keys: {
    columns: 'key_hash, request_hash, expires_at',
    values: `lpad(n::text, 64, '0'), repeat('1', 64), now() - interval '1 day'`,
    sweep: () => new IdempotencyRetention(background, logger).sweep(),
  },
  past_members: {
    columns: 'account_id, joined_at, left_at',
    values: `gen_random_uuid(), now() - interval '90 days', now() - interval '60 days'`,
    sweep: () => new PastMemberRetention(background, logger).sweep(),
  },
  probe_results: {
    columns: 'id, probe_id, release_id, job_id, cause, passed, reason, latency_ms, diverged, at',
    values: `gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'publish', false, 'r', 1, false, now() - interval '60 days'`,
    sweep: () => new ProbeRetention(background, logger).sweep(),
  },
  webhook_deliveries: {
    columns: 'id, webhook_id, type, job_id, state, created_at',
    values: `gen_random_uuid(), gen_random_uuid(), 't', gen_random_uuid(), 'dead', now() - interval '60 days'`,
    sweep: () => new DeliveryRetention(background, logger).sweep(),
  },
  outbox: {
    columns: 'id, queue, name, payload, attempts_max, completed_at',
    values: `gen_random_uuid(), 'tenants', 'evict-tenant', '{}', 1, now() - interval '60 days'`,
    sweep: () => new Retention(background, logger).sweep(),
  },
};

const kept = async (table: string): Promise<Record<string, number>> => {
  const { rows } = await owner.query<{ id: string; kept: number }>(
    `select t.id, (select count(*)::int from ${table} r where r.tenant_id = t.id) as kept from tenants t`,
  );
  return Object.fromEntries(rows.map(({ id, kept: count }) => [id, count]));
};

test.each(Object.keys(OLD))(
  'old rows of %s stay while their tenant is on its way, and keep nobody else’s; once it has settled they go',
  async (table) => {
    const { columns, values, sweep } = OLD[table] as (typeof OLD)[string]; // one of its keys
    const insert = (id: string, count: number) =>
      owner.query(
        `insert into ${table} (tenant_id, ${columns}) select '${id}', ${values} from generate_series(1, ${count}) n`,
      );
    await insert(leaving, ROWS);
    await insert(staying, 2);
    expect(await sweep()).toBe(2);
    expect(await kept(table)).toEqual({ [leaving]: ROWS, [staying]: 0 });
    await owner.query(`delete from tenant_homes`);
    expect(await sweep()).toBe(ROWS);
    expect(await kept(table)).toEqual({ [leaving]: 0, [staying]: 0 });
  },
);

test('a job that its queue did not take stays as it is while its tenant is on its way', async () => {
  for (const id of [leaving, staying])
    await owner.query(
      `insert into outbox (tenant_id, id, queue, name, payload, attempts_max) values ($1, $2, 'tenants', 'evict-tenant', '{}', 1)`,
      [id, newId()],
    );
  await owner.query(`delete from tenant_homes`);
  const claimed = await background.asService((tx) => claimJobs(tx, 10));
  expect(claimed).toHaveLength(2);
  await owner.query(`insert into tenant_homes (tenant_id, database, state) values ($1, 'own', 'leaving')`, [leaving]);
  await background.asService((tx) => returnJobs(tx, claimed));
  const { rows } = await owner.query(
    `select tenant_id, dispatched_at is null as waits from outbox where completed_at is null order by 2`,
  );
  expect(rows).toEqual([
    { tenant_id: leaving, waits: false },
    { tenant_id: staying, waits: true },
  ]);
});

test('no statement without a tenant changes or deletes a row of one that is on its way', async () => {
  const keys = [leaving, staying].map((id) => [id, newId()]);
  for (const key of keys)
    await owner.query(
      `insert into data_keys (tenant_id, id, wrapped, wrapping_key_id) values ($1, $2, '', 'old')`,
      key,
    );
  await background.asService((tx) => tx.query(`update data_keys set wrapping_key_id = 'new'`));
  const { rows } = await owner.query(`select tenant_id, wrapping_key_id as key from data_keys order by 2`);
  expect(rows).toEqual([
    { tenant_id: staying, key: 'new' },
    { tenant_id: leaving, key: 'old' },
  ]);
});
