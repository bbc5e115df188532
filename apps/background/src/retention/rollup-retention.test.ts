import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { ApprovalExpiry } from './approval-expiry.js';
import { IdempotencyRetention } from './idempotency-retention.js';
import { PastMemberRetention } from './past-member-retention.js';
import { RollupRetention } from './rollup-retention.js';
import { UsageRetention } from './usage-retention.js';

let store: TestDatabase;
let background: Database;
let owner: Client;

beforeAll(async () => {
  store = await testDatabase();
  background = await Database.connect({ ...store, role: 'wharf_background', poolSize: 2 });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await background.close();
  await store.drop();
});

test('deletes sums that are older than thirty days, of every tenant, and nothing else', async () => {
  await owner.query(`
    with t as (insert into tenants (id, slug, name) values
      (gen_random_uuid(), 'one', 'One'), (gen_random_uuid(), 'two', 'Two') returning id)
    insert into call_rollups (tenant_id, minute, server, tool)
      select id, now() - make_interval(days => age), 's', 't' from t, unnest(array[0, 29, 31, 400]) as age`);
  const retention = new RollupRetention(background, createLogger('background', 'silent'));
  expect(await retention.sweep()).toBe(4);
  expect(await retention.sweep()).toBe(0);
  const { rows } = await owner.query(`select count(*)::int as kept from call_rollups`);
  expect(rows).toEqual([{ kept: 4 }]);
});

test('deletes the answers of repeated requests after their day, of tenants and of others, and nothing else', async () => {
  const [late, later] = ['0', '1'].map((digit) => digit.repeat(64));
  await owner.query(
    `insert into idempotency_keys (tenant_id, key_hash, request_hash, expires_at)
     select id, key, $1, now() + make_interval(hours => age) from tenants, (values ($1, -1), ($2, 1)) as k (key, age)`,
    [late, later],
  );
  await owner.query(
    `insert into platform_idempotency_keys (key_hash, request_hash, expires_at)
     values ($1, $1, now() - interval '1 hour'), ($2, $2, now() + interval '1 hour')`,
    [late, later],
  );
  expect(await new IdempotencyRetention(background, createLogger('background', 'silent')).sweep()).toBe(3);
  const { rows } = await owner.query(
    `select key_hash from idempotency_keys union all select key_hash from platform_idempotency_keys`,
  );
  expect(rows.map((row) => row.key_hash)).toEqual([later, later, later]);
});

test('forgets who was a member once, thirty days after they left', async () => {
  await owner.query(`
    insert into past_members (tenant_id, account_id, joined_at, left_at)
      select id, gen_random_uuid(), now() - interval '1 year', now() - make_interval(days => age)
      from tenants, unnest(array[0, 29, 31, 60]) as age`);
  expect(await new PastMemberRetention(background, createLogger('background', 'silent')).sweep()).toBe(4);
  const { rows } = await owner.query(
    `select bool_and(left_at > now() - interval '30 days') as late, count(*)::int from past_members`,
  );
  expect(rows).toEqual([{ late: true, count: 4 }]);
});

test('ends the wait of calls whose time is over, says so in their tenant’s log, and forgets old ones', async () => {
  await owner.query(`
    with keys as (insert into data_keys (tenant_id, id, wrapped, wrapping_key_id)
      select id, gen_random_uuid(), '', 'w' from tenants returning tenant_id, id)
    insert into approvals (tenant_id, id, digest, state, rule, requester, server, tool, data_key_id, sealed_arguments,
      valid_seconds, self_approval, requested_at, expires_at)
    select tenant_id, gen_random_uuid(), state || age, state, 'policy:p', '{}', 's', 't', id, '', 900, false,
      now() - make_interval(days => age), now() + make_interval(mins => left_minutes)
    from keys, (values ('pending', 0, -1), ('approved', 0, -1), ('pending', 1, 5), ('used', 29, -1), ('used', 31, -1))
      as w (state, age, left_minutes)`);
  expect(await new ApprovalExpiry(background, createLogger('background', 'silent')).sweep()).toBe(6);
  const { rows } = await owner.query(`select state, count(*)::int from approvals group by 1 order by 1`);
  expect(rows).toEqual([
    { state: 'expired', count: 4 },
    { state: 'pending', count: 2 },
    { state: 'used', count: 2 },
  ]);
  const { rows: said } = await owner.query(
    `select count(*)::int as said, count(distinct tenant_id)::int as tenants from audit_records where event = 'approval.expired'`,
  );
  expect(said).toEqual([{ said: 4, tenants: 2 }]);
});

test('a legal hold keeps everything of its tenant, and nobody else’s is kept for it', async () => {
  await owner.query(
    `insert into legal_holds (tenant_id, reason, held_by) select id, 'a case', gen_random_uuid() from tenants where slug = 'one'`,
  );
  await owner.query(`
    insert into call_rollups (tenant_id, minute, server, tool)
      select id, now() - make_interval(days => 60 + n), 's', 't' from tenants, generate_series(1, 1500) n;
    insert into usage_hours (tenant_id, hour, server, tool, client, calls, failed, tool_ms, bytes_in, bytes_out)
      select id, now() - interval '30 months', 's', 't', 'c', 1, 0, 1, 1, 1 from tenants`);
  const logger = createLogger('background', 'silent');
  expect(await new RollupRetention(background, logger).sweep()).toBe(1_500);
  expect(await new UsageRetention(background, logger).sweep()).toBe(1);
  const { rows } = await owner.query(
    `select slug, count(*)::int as kept from tenants t join call_rollups r on r.tenant_id = t.id
     where minute < now() - interval '50 days' group by slug`,
  );
  expect(rows).toEqual([{ slug: 'one', kept: 1_500 }]);
});
