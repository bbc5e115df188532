import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let own: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  const twin = await api.newTenant();
  own = await api.newTenant();
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  for (const [id, server] of [
    [own.id, 'own-canary'],
    [twin.id, 'twin-canary'],
  ]) {
    await owner.query(
      `insert into usage_hours select $1, hour::timestamptz, $2, tool, client, 10, 1, 2500, 400, 600, 10
       from unnest(array['2026-03-31T22:00Z', '2026-03-31T23:00Z', '2026-04-01T00:00Z']) as hour,
         unnest(array['find', '=cmd()']) as tool, unnest(array['editor', 'api-key:k']) as client`,
      [id, server],
    );
    await owner.query(
      `insert into usage_months (tenant_id, month, calls, tool_ms, bytes)
       values ($1, date_trunc('month', now() at time zone 'utc'), 850000, 1000, 0)`,
      [id],
    );
  }
  await owner.end();
});

afterAll(() => api?.stop());

const MARCH = 'from=2026-03-01&to=2026-04-01';
const usage = (query: string) => api.send('GET', `/v1/usage?${query}`, { key: own.key });

test('sums are of the days that are asked for, told apart as asked, and of the own tenant', async () => {
  const whole = { server: null, tool: null, client: null };
  expect((await usage(`${MARCH}&per=month`)).body.usage).toEqual([
    {
      at: '2026-03-01T00:00:00.000Z',
      ...whole,
      calls: 80,
      failed: 8,
      tool_seconds: 20,
      bytes_in: 3200,
      bytes_out: 4800,
      egress_bytes: 80,
    },
  ]);
  const told = await usage(`from=2026-03-31&to=2026-04-02&by=tool,server&client=editor`);
  expect(
    told.body.usage.map(({ at, server, tool, client, calls }: Record<string, unknown>) => [
      at,
      server,
      tool,
      client,
      calls,
    ]),
  ).toEqual([
    ['2026-03-31T00:00:00.000Z', 'own-canary', '=cmd()', null, 20],
    ['2026-03-31T00:00:00.000Z', 'own-canary', 'find', null, 20],
    ['2026-04-01T00:00:00.000Z', 'own-canary', '=cmd()', null, 10],
    ['2026-04-01T00:00:00.000Z', 'own-canary', 'find', null, 10],
  ]);
  expect((await usage(`${MARCH}&server=twin-canary`)).body.usage).toEqual([]);
});

test('pages bring every sum once', async () => {
  const seen: unknown[] = [];
  let cursor = '';
  do {
    const { body } = await usage(`${MARCH}&per=hour&by=tool,client&limit=3${cursor}`);
    seen.push(
      ...body.usage.map(
        ({ at, tool, client }: Record<string, unknown>) => `${String(at)} ${String(tool)} ${String(client)}`,
      ),
    );
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
  } while (cursor !== '');
  expect([seen.length, new Set(seen).size]).toEqual([8, 8]);
});

test('the export is the same as CSV, in which nothing is a formula', async () => {
  const { text } = await api.send('GET', `/v1/usage/export?${MARCH}&per=day&by=tool`, { key: own.key });
  expect(text.split('\r\n')).toEqual([
    'at,server,tool,client,calls,failed,tool_seconds,bytes_in,bytes_out,egress_bytes',
    "2026-03-31T00:00:00.000Z,,'=cmd(),,40,4,10,1600,2400,40",
    '2026-03-31T00:00:00.000Z,,find,,40,4,10,1600,2400,40',
    '',
  ]);
});

test('the budgets of the plan show what the month has used of them', async () => {
  const { body } = await api.send('GET', '/v1/usage/budgets', { key: own.key });
  expect(body).toMatchObject({
    plan: 'free',
    over_budget: 'refuse',
    month: new Date().toISOString().slice(0, 7),
    resets_at: expect.stringMatching(/-01T00:00:00\.000Z$/),
    budgets: [
      { budget: 'calls_per_month', used: 850_000, allowed: 1_000_000, state: 'warned' },
      { budget: 'tool_seconds_per_month', used: 1, state: 'free' },
      { budget: 'bytes_per_month', used: 0, state: 'free' },
      { budget: 'egress_bytes_per_month', used: 0, state: 'free' },
    ],
  });
});

test.each([
  ['from=2026-04-02&to=2026-04-01', '`to` must be after `from`'],
  ['from=2024-01-01&to=2026-01-01', 'a year at most'],
  ['from=yesterday', 'a day'],
  ['by=person', 'server, tool and client'],
  ['per=minute', 'hour'],
])('%s is refused: %s', async (query, told) => {
  const { status, text } = await usage(query);
  expect(status).toBe(400);
  expect(text).toContain(told);
});
