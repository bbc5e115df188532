import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let owner: Client;
let own: TestTenant;
let twin: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  [own, twin] = [await api.newTenant(), await api.newTenant()];
  owner = await api.connectOwner();
});

afterAll(() => api?.stop());

const NAMES = ['b', 'd "ü🙂'];
const HOURS = ['2026-03-10T05:00Z', '2026-03-10T07:00Z', '2026-03-12T05:00Z', '2026-04-02T05:00Z'];
const TIME = 'from=2026-03-01&to=2026-05-01';
const COMBINATIONS = ['hour', 'day', 'month'].flatMap((per) =>
  ['', 'server', 'tool', 'client', 'server,tool', 'server,client', 'tool,client', 'server,tool,client'].map((by) => ({
    per,
    by,
  })),
);

const insert = (tenant: TestTenant, hours: readonly string[], names: readonly string[]) =>
  owner.query(
    `insert into usage_hours select $1, hour::timestamptz, server, tool, client, 1, 0, 0, 0, 0, 0
     from unnest($2::text[]) as hour, unnest($3::text[]) as server, unnest($3::text[]) as tool, unnest($3::text[]) as client`,
    [tenant.id, hours, names],
  );

const page = async (query: string, cursor: string | null) =>
  (await api.send('GET', `/v1/usage?${query}${cursor === null ? '' : `&cursor=${cursor}`}`, { key: own.key })).body;

const placeOf = ({ at, server, tool, client }: Record<string, unknown>): string =>
  JSON.stringify([at, server, tool, client]);

test.each(COMBINATIONS)('sums per $per by "$by" come once each while others come and go', async ({ per, by }) => {
  await owner.query('delete from usage_hours where tenant_id in ($1, $2)', [own.id, twin.id]);
  await insert(own, HOURS, NAMES);
  await insert(twin, HOURS, ['twin-canary']);
  const query = `${TIME}&per=${per}${by === '' ? '' : `&by=${by}`}`;
  const expected: string[] = (await page(query, null)).usage.map(placeOf);

  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const answer = await page(`${query}&limit=1`, cursor);
    expect(JSON.stringify(answer)).not.toContain('twin-canary');
    seen.push(...answer.usage.map(placeOf));
    if (cursor === null) {
      // Before what was read some come, and what was read goes: either moves what an offset counts.
      await insert(own, ['2026-03-02T05:00Z', '2026-03-03T05:00Z'], ['a', 'e']);
      await owner.query(`delete from usage_hours where tenant_id = $1 and hour = $2`, [own.id, '2026-03-10T05:00Z']);
      await insert(own, ['2026-03-10T05:00Z'], ['a', 'b']);
      if (per !== 'month') await insert(own, ['2026-02-28T05:00Z', '2026-03-01T05:00Z'], ['a']);
    }
    cursor = answer.next_cursor;
  } while (cursor !== null);

  expect(new Set(seen).size).toBe(seen.length);
  const left = new Set((await page(query, null)).usage.map(placeOf));
  expect(expected.filter((place) => left.has(place) && !seen.includes(place))).toEqual([]);
});

test('a cursor is of the list that gave it', async () => {
  await owner.query('delete from usage_hours where tenant_id = $1', [own.id]);
  await insert(own, HOURS, NAMES);
  const { next_cursor: cursor } = await page(`${TIME}&by=server&limit=1`, null);
  const forged = (parts: readonly unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');
  for (const [query, given] of [
    ['by=tool', cursor],
    ['by=server&per=hour', cursor],
    ['by=server', forged(['day server', '2026-03-10T00:00:00Z'])],
    ['by=server', forged(['day server', '2026-03-10T00:00:00Z', 'a\u0000'])],
    ['by=server', forged(['day server', 'yesterday', 'a'])],
    ['by=server', forged({} as never)],
    ['by=server', 'MjAw'],
    ['by=server', '%7B'],
  ]) {
    const { status, body } = await api.send('GET', `/v1/usage?${TIME}&${query}&cursor=${given}`, { key: own.key });
    expect([status, body.errors?.[0]?.pointer]).toEqual([400, '/query/cursor']);
  }
});
