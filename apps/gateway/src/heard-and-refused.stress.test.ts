import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { countsOf } from './observation/counted.fixture.js';
import { GatewayUnderTest, type TenantUnderTest } from './gateway.fixture.js';
import { INITIALIZE, legacy, modern, send, type Answer } from './requests.fixture.js';
import { listen, type Listening } from './surroundings.fixture.js';

/** An upstream has heard a call, and its client is told that it failed: what was done is recorded once, and so is what was told. */
const DEADLINE_MS = 60_000;

let gateway: GatewayUnderTest;
let upstream: Listening;
let owner: Client;
let tenants: TenantUnderTest[];
/** What is to happen when the upstream has heard a text, before it answers. */
const onHeard = new Map<string, (response: ServerResponse) => void | Promise<void>>();
const heard: string[] = [];

beforeAll(async () => {
  upstream = await listen((request, response) => {
    const text = new URL(request.url ?? '', 'http://upstream').searchParams.get('text') ?? '';
    heard.push(text);
    void onHeard.get(text)?.(response.setHeader('content-type', 'application/json'));
  });
  gateway = await GatewayUnderTest.start();
  owner = new Client({ connectionString: gateway.store.databaseUrl });
  await owner.connect();
  for (const mode of ['database', 'disk', 'process'])
    await owner.query(
      `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, audit_mode)
       values ($1 || '-mode', 1000, 10, 5, 256, $1)`,
      [mode],
    );
  tenants = await Promise.all(
    ['database', 'disk', 'process'].map((mode) =>
      gateway.tenant(`of-${mode}`, { find: `${upstream.origin}/find` }, `${mode}-mode`),
    ),
  );
  for (const tenant of tenants) await gateway.allow(tenant, upstream);
  await owner.query(`create function take_nothing() returns trigger language plpgsql as $$
    begin raise exception 'starting up' using errcode = '57P03'; end $$`);
});

afterAll(async () => {
  await owner?.end();
  await gateway?.stop();
  await upstream?.close();
});

/** A call in its tenant's mode, in either era; the upstream hears its text. */
type Call = (tenant: TenantUnderTest, text: string) => Promise<Answer>;

const inModern: Call = ({ serverUrl, key }, text) => {
  const { headers, body } = modern('tools/call', { name: 'find', arguments: { text } });
  return send(serverUrl, { headers: { ...headers, authorization: `Bearer ${key}` }, body });
};

const inLegacy: Call = async ({ serverUrl, key }, text) => {
  const authorization = `Bearer ${key}`;
  const opening = legacy(INITIALIZE);
  const opened = await send(serverUrl, { headers: { ...opening.headers, authorization }, body: opening.body });
  const message = { id: 2, method: 'tools/call', params: { name: 'find', arguments: { text } } };
  const { headers, body } = legacy(message, String(opened.headers['mcp-session-id']));
  return send(serverUrl, { headers: { ...headers, authorization }, body });
};

interface CallRecord {
  readonly outcome: string;
  readonly details: { readonly http_status?: number; readonly rpc_code?: number };
}

/** The records of the call with this text, as soon as there is one; `audit_log` holds one entry for each id. */
async function recordsOf(text: string): Promise<CallRecord[]> {
  const digest = `sha256:${createHash('sha256').update(JSON.stringify({ text })).digest('hex')}`;
  const lateMs = Date.now() + DEADLINE_MS;
  for (;;) {
    const { rows } = await owner.query<CallRecord>(
      `select outcome, details from audit_records where details ->> 'arguments_digest' = $1`,
      [digest],
    );
    if (rows.length > 0 || Date.now() > lateMs) return rows;
    await owner.query(`select pg_sleep(0.1)`);
  }
}

/** What a client was told, also where that came as the last event of a stream. */
function toldIn({ status, text }: Answer): { readonly http_status: number; readonly rpc_code: number } {
  const code = /"error":\{"code":(-\d+)/.exec(text)?.[1];
  return { http_status: status, rpc_code: Number(code) };
}

test.each([
  ['2026-07-28', inModern],
  ['2025-11-25', inLegacy],
])(
  'the commit fails after the upstream answered: the answer is kept back, and the record says what was done and what was told: %s',
  async (era, call) => {
    const [tenant] = tenants as [TenantUnderTest]; // as many as modes
    const text = `uncommitted ${era}`;
    onHeard.set(text, async (response) => {
      await owner.query(
        `create trigger take_nothing before insert on audit_records for each statement execute function take_nothing()`,
      );
      response.end('{}');
    });
    const answer = await call(tenant, text);
    await owner.query(`drop trigger take_nothing on audit_records`);
    expect(answer.text).toContain('the answer is kept back');
    expect(await recordsOf(text)).toMatchObject([{ outcome: 'ok', details: toldIn(answer) }]);
    expect(heard.filter((other) => other === text)).toHaveLength(1);
    await expectCountedAsTold(tenant, text);
  },
  DEADLINE_MS,
);

/** What was kept back is no success in the metrics, and took as long as its client waited; the other calls of the tenant began sessions. */
async function expectCountedAsTold({ slug }: TenantUnderTest, text: string): Promise<void> {
  const withheld = heard.filter((other) => other.startsWith('uncommitted ')).length;
  const counts = Object.entries(await countsOf(/^wharf_tool_(calls_total|duration_seconds_sum)$/)).filter(([name]) =>
    name.includes(`tenant=${slug},`),
  );
  const calls = counts.filter(([name]) => name.startsWith('wharf_tool_calls_total'));
  expect([text, calls]).toEqual([text, [[expect.stringContaining('outcome=unavailable'), withheld]]]);
  const seconds = counts.find(([name]) => name.startsWith('wharf_tool_duration_seconds_sum'))?.[1];
  expect(seconds).toBeGreaterThanOrEqual(5 * withheld);
}

test(
  'the gateway stops while upstreams have not answered: each call that was told so has its outcome, once',
  async () => {
    const texts = tenants.flatMap((_, at) => [`stopped modern ${at}`, `stopped legacy ${at}`]);
    const arrived = texts.map((text) => new Promise<void>((resolve) => onHeard.set(text, () => resolve())));
    const calls = tenants.flatMap((tenant, at) => [
      inModern(tenant, `stopped modern ${at}`),
      inLegacy(tenant, `stopped legacy ${at}`),
    ]);
    await Promise.all(arrived);
    await gateway.restart();
    for (const [at, answer] of (await Promise.all(calls)).entries()) {
      const text = texts[at] ?? '';
      const told = { outcome: 'worker_failed', details: toldIn(answer) };
      expect([text, await recordsOf(text)]).toMatchObject([text, [told]]);
    }
    expect(heard.filter((text) => texts.includes(text)).toSorted()).toEqual(texts.toSorted());
  },
  DEADLINE_MS,
);
