import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import type { BreakerChange } from '#libs/protocol';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { BreakerClock } from './breaker-clock.js';

const logger = createLogger('test', 'silent');

let store: TestDatabase;
let database: Database;
let owner: Client;

beforeAll(async () => {
  store = await testDatabase();
  database = await Database.connect({ ...store, role: 'wharf_background' });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
});
afterAll(async () => {
  await Promise.all([database.close(), owner.end()]);
  await store.drop();
});

async function newTenant(): Promise<string> {
  const id = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
  return id;
}

/** A clock whose runtimes tell each of these once, in one turn after the other. */
function clockOf(...turns: BreakerChange[][]): BreakerClock {
  return new BreakerClock({ database, logger, runtime: { breakerChanges: async () => turns.shift() ?? [] } });
}

const origin = 'https://api.example.com';
const opened = (tenantId: string): BreakerChange => {
  const atMs = Date.UTC(2026, 10, 22, 12);
  return { tenantId, origin, release: 'sha256:r', state: 'open', atMs, retryAtMs: atMs + 30_000, lastError: 'timeout' };
};
const logOf = async (tenantId: string) =>
  (
    await owner.query(`select event, actor, target, details, at from audit_records where tenant_id = $1 order by id`, [
      tenantId,
    ])
  ).rows;

test('that a breaker opened and closed stands in its own tenant’s log, with when and why', async () => {
  const [tenantId, other] = [await newTenant(), await newTenant()];
  const clock = clockOf([opened(tenantId)], [{ ...opened(tenantId), state: 'closed' }]);
  await clock.tick();
  await clock.tick();
  await clock.tick();
  const common = { actor: { kind: 'system', id: 'egress' }, target: `upstream:${origin}` };
  expect(await logOf(tenantId)).toMatchObject([
    {
      ...common,
      event: 'breaker.opened',
      at: new Date('2026-11-22T12:00:00Z'),
      details: { origin, release: 'sha256:r', last_error: 'timeout', retry_at: '2026-11-22T12:00:30.000Z' },
    },
    { ...common, event: 'breaker.closed', details: { origin, release: 'sha256:r' } },
  ]);
  expect(await logOf(other)).toEqual([]);
});

test('what the database does not take is written later, once, and no tenant waits for another', async () => {
  const [held, other] = [await newTenant(), await newTenant()];
  const clock = clockOf([opened(held), opened(other)]);
  await owner.query(`create function refuse_one() returns trigger language plpgsql as $$
    begin if new.tenant_id = '${held}' then raise exception 'not now'; end if; return new; end $$`);
  await owner.query(`create trigger held before insert on audit_records for each row execute function refuse_one()`);
  await clock.tick();
  expect([(await logOf(held)).length, (await logOf(other)).length]).toEqual([0, 1]);
  await owner.query(`drop trigger held on audit_records`);
  await clock.tick();
  await clock.tick();
  expect([(await logOf(held)).length, (await logOf(other)).length]).toEqual([1, 1]);
});

test('a tenant that is gone keeps nobody else’s from being written', async () => {
  const tenantId = await newTenant();
  await clockOf([opened(newId()), opened(tenantId)]).tick();
  expect(await logOf(tenantId)).toHaveLength(1);
});
