import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GatewayUnderTest, type TenantUnderTest } from './gateway.fixture.js';
import { INITIALIZE, legacy, modern, send, type Answer } from './requests.fixture.js';
import { listen, type Listening } from './surroundings.fixture.js';

/** Characters that a client may send and PostgreSQL does not keep: the calls are recorded all the same, each once. */
const EMOJI = '\u{1f600}';
const ODD = ['a\u0000b', 'a\ud800', 'a\udc00b', `${'a'.repeat(63)}${EMOJI}${'b'.repeat(63)}${EMOJI}`];
const KEPT = ['a\ufffdb', 'a\ufffd', 'a\ufffdb', `${'a'.repeat(63)}${EMOJI}${'b'.repeat(63)}${EMOJI}`];

let gateway: GatewayUnderTest;
let upstream: Listening;
let tenant: TenantUnderTest;

beforeAll(async () => {
  upstream = await listen((_, response) => {
    response.setHeader('content-type', 'application/json').end('{}');
  });
  gateway = await GatewayUnderTest.start();
  await gateway.operators.asService((tx) =>
    tx.query(
      `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, audit_mode)
       values ('committed', 1000, 10, 5, 256, 'database')`,
    ),
  );
  tenant = await gateway.tenant('odd', { find: `${upstream.origin}/find` }, 'committed');
  await gateway.allow(tenant, upstream);
  await gateway.control.asTenant(tenant.id, (tx) =>
    tx.query(`update servers set records_content = true where tenant_id = $1`, [tenant.id]),
  );
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

function post({ headers, body }: { headers: Record<string, string>; body: string }): Promise<Answer> {
  return send(tenant.serverUrl, { headers: { ...headers, authorization: `Bearer ${tenant.key}` }, body });
}

interface CallRecord {
  readonly outcome: string;
  readonly details: { readonly method: string; readonly name?: string; readonly arguments?: { readonly text: string } };
}

/** The records of calls since the last look, in their order. */
async function newRecords(): Promise<CallRecord[]> {
  const rows: Array<CallRecord & { id: string }> = await gateway.control.asTenant(tenant.id, (tx) =>
    tx.query(`select id, outcome, details from audit_records where event = 'call.completed' and id > $1 order by id`, [
      seen,
    ]),
  );
  seen = rows.at(-1)?.id ?? seen;
  return rows;
}
let seen = '00000000-0000-0000-0000-000000000000';

test.each(ODD.map((odd, at) => [JSON.stringify(odd), odd, KEPT[at] ?? '']))(
  'a session’s calls with %s in method, tool, uri and arguments each have their record',
  async (_, odd, kept) => {
    const opened = await post(legacy(INITIALIZE));
    const sessionId = String(opened.headers['mcp-session-id']);
    const messages = [
      { method: odd },
      { method: 'tools/call', params: { name: odd, arguments: {} } },
      { method: 'resources/read', params: { uri: `doc:${odd}` } },
      { method: 'tools/call', params: { name: 'find', arguments: { text: odd, [odd]: [odd] } } },
    ];
    for (const [at, message] of messages.entries()) {
      const answer = await post(legacy({ id: at + 2, ...message }, sessionId));
      expect([message, answer.status]).not.toEqual([message, 503]);
    }
    const [, byMethod, byTool, byUri, byArguments, ...rest] = await newRecords();
    expect(rest).toEqual([]);
    expect(byMethod?.details.method).toBe(Array.from(kept).slice(0, 64).join(''));
    expect(byTool?.details.name).toBe(Array.from(kept).slice(0, 128).join(''));
    expect(byUri?.details.name).toBe(Array.from(`doc:${kept}`).slice(0, 128).join(''));
    expect(byArguments?.details.arguments?.text).toBe(kept);
  },
);

test.each(ODD.map((odd, at) => [JSON.stringify(odd), odd, KEPT[at] ?? '']))(
  'calls of the 2026 era with %s in tool and arguments each have their record',
  async (_, odd, kept) => {
    const asked = modern('tools/call', { name: 'find', arguments: { text: odd } });
    expect((await post(asked)).status).toBe(200);
    const records = await newRecords();
    expect(records).toMatchObject([{ details: { name: 'find', arguments: { text: kept } } }]);
    if (!odd.isWellFormed()) return; // the header that repeats a name cannot hold it
    const named = modern('tools/call', { name: odd, arguments: {} });
    const name = `=?base64?${Buffer.from(odd).toString('base64')}?=`;
    expect((await post({ ...named, headers: { ...named.headers, 'mcp-name': name } })).status).not.toBe(503);
    expect(await newRecords()).toMatchObject([{ details: { name: kept } }]);
  },
);
