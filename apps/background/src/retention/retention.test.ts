import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { openWorkbench, type Workbench } from '../outbox/workbench.fixture.js';
import { Retention } from './retention.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await openWorkbench();
});

afterAll(() => bench.close());

async function insertClosed(tenantId: string, count: number, closedDaysAgo: number | undefined): Promise<void> {
  await bench.background.asTenant(tenantId, (tx) =>
    tx.query(
      `insert into outbox (tenant_id, id, queue, name, payload, attempts_max, completed_at)
       select $1, id, 'tenants', 'evict-tenant', '{}', 1, now() - make_interval(days => $3) from unnest($2::uuid[]) as id`,
      [tenantId, Array.from({ length: count }, () => newId()), closedDaysAgo ?? null],
    ),
  );
}

test('deletes jobs closed more than seven days ago, of every tenant, and nothing else', async () => {
  const [first, second] = [await bench.newTenant(), await bench.newTenant()];
  await insertClosed(first, 1_200, 8);
  await insertClosed(second, 3, 30);
  await insertClosed(second, 2, 6);
  await insertClosed(second, 1, undefined);
  const retention = new Retention(bench.background, createLogger('background', 'silent'));
  expect(await retention.sweep()).toBe(1_203);
  expect(await retention.sweep()).toBe(0);
  expect(await bench.rows(first)).toHaveLength(0);
  expect((await bench.rows(second)).map((row) => row.closed).toSorted()).toEqual([false, true, true]);
});
