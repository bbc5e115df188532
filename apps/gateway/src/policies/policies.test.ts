import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { legacy, modern, send, INITIALIZE, type Answer } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

let gateway: GatewayUnderTest;
let upstream: Listening;
let acme: TenantUnderTest;
let other: TenantUnderTest;
let replica: string;
let ran = 0;

beforeAll(async () => {
  upstream = await listen((_request, response) => {
    ran += 1;
    response.setHeader('content-type', 'application/json').end('{"done":true}');
  });
  gateway = await GatewayUnderTest.start({ WHARF_REGION: 'eu' });
  replica = await gateway.replica();
  const tools = { find: `${upstream.origin}/find`, write_off: `${upstream.origin}/off` };
  [acme, other] = await Promise.all([gateway.tenant('acme', tools), gateway.tenant('other', tools)]);
  for (const tenant of [acme, other]) {
    await gateway.allow(tenant, upstream);
    await change(tenant, `update servers set writes = true where tenant_id = $1`);
  }
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

function change(tenant: TenantUnderTest, sql: string, values: readonly unknown[] = []): Promise<unknown> {
  return gateway.control.asTenant(tenant.id, (tx) => tx.query(sql, [tenant.id, ...values]));
}

interface Written {
  readonly scope?: string;
  readonly effect?: string;
  readonly message?: string;
  readonly priority?: number;
}

function rule(tenant: TenantUnderTest, name: string, expression: string, differs: Written = {}): Promise<unknown> {
  const { scope = 'tool_calls', effect = 'deny', message = null, priority = 100 } = differs;
  return change(
    tenant,
    `insert into policies (tenant_id, name, priority, enabled, scope, effect, expression, message, servers, approval_seconds, self_approval)
     values ($1, $2, $3, true, $4, $5, $6, $7, '{}', 900, false)`,
    [name, priority, scope, effect, expression, message],
  );
}

const lift = (tenant: TenantUnderTest): Promise<unknown> => change(tenant, `delete from policies where tenant_id = $1`);

function post(tenant: TenantUnderTest, message: ReturnType<typeof modern>, url = tenant.serverUrl) {
  return send(url, { headers: { ...message.headers, 'x-api-key': tenant.key }, body: message.body });
}

function call(tenant: TenantUnderTest, tool: string, given: object = {}, url = tenant.serverUrl): Promise<Answer> {
  return post(tenant, modern('tools/call', { name: tool, arguments: given }, 5), url);
}

/** The answer of a call as soon as it is so, which it is once the gateway has heard of the rule. */
function heard(ask: () => Promise<Answer>, wanted: (answer: Answer) => boolean): Promise<Answer> {
  return until(async () => {
    const answer = await ask();
    return wanted(answer) ? answer : undefined;
  }, 'the rule to be heard of');
}

test('a rule denies what it is true of, at every URL of its tenant and nobody else’s, and the log names it', async () => {
  await rule(acme, 'no-boots', 'tool.name == "find" && has(arguments.text) && arguments.text.contains("boots")', {
    message: 'Boots are sold out.',
  });
  const boots = { text: 'red boots' };
  const denied = await heard(
    () => call(acme, 'find', boots),
    ({ status }) => status === 403,
  );
  expect(denied.json.error).toMatchObject({
    code: -31_006,
    message: 'Boots are sold out.',
    data: { policy: 'no-boots' },
  });
  const before = ran;
  expect((await call(acme, 'orders__find', boots, acme.url)).status).toBe(403);
  expect(ran).toBe(before);
  await heard(
    () => call(acme, 'find', boots, acme.serverUrl.replace(gateway.origin, replica)),
    ({ status }) => status === 403,
  );
  expect((await call(acme, 'find', { text: 'shoes' })).status).toBe(200);
  expect((await call(other, 'find', boots)).status).toBe(200);
  const batching = { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: '2025-03-26' } };
  const opened = await post(acme, legacy(batching));
  const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']), 'mcp-protocol-version': '2025-03-26' };
  const batch = ['red boots', 'shoes'].map((text, id) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'find', arguments: { text } },
  }));
  const answered = await post(acme, {
    headers: { ...legacy(INITIALIZE).headers, ...session },
    body: JSON.stringify(batch),
  });
  const parts: Array<{ id: number; error?: { code: number } }> = JSON.parse(answered.text);
  const codes = parts.map(({ id, error }) => [id, error?.code]);
  expect(codes.toSorted()).toEqual([
    [0, -31_006],
    [1, undefined],
  ]);
  const record = await gateway.audited(acme, ({ event }) => event === 'call.denied');
  expect([record.outcome, record.details]).toEqual([
    'policy_denied',
    expect.objectContaining({ rule: 'policy:no-boots', name: 'find', server: 'orders', http_status: 403 }),
  ]);
  expect(JSON.stringify(record)).not.toContain('red boots');
  await lift(acme);
  await heard(
    () => call(acme, 'find', boots),
    ({ status }) => status === 200,
  );
});

test('a rule that fails refuses the call, and one on every request refuses lists and sessions too', async () => {
  await rule(acme, 'fails', 'arguments.customer == "x"', { effect: 'allow' });
  const failed = await heard(
    () => call(acme, 'find'),
    ({ status }) => status === 403,
  );
  expect(failed.json.error.message).toContain('could not be applied');
  const record = await gateway.audited(acme, ({ details }) => details['rule'] === 'policy:fails');
  expect(record.details['why']).toContain('no_such_key');
  expect((await post(acme, modern('tools/list'))).status).toBe(200);
  await lift(acme);
  await rule(acme, 'office', '!inNetwork(source.address, "192.0.2.0/24") && region == "eu"', { scope: 'requests' });
  await heard(
    () => post(acme, modern('tools/list')),
    ({ status }) => status === 403,
  );
  expect((await post(acme, legacy(INITIALIZE))).status).toBe(403);
  expect((await post(other, modern('tools/list'))).status).toBe(200);
  await lift(acme);
  await heard(
    () => post(acme, modern('tools/list')),
    ({ status }) => status === 200,
  );
});

interface Waiting {
  readonly approval_id: string;
  readonly expires_at: string;
}

const waitingOf = ({ json }: Answer): Waiting | undefined => json.result?._meta?.['wharf/approval'];

function decide(tenant: TenantUnderTest, id: string, state: string): Promise<unknown> {
  return change(tenant, `update approvals set state = $3, reason = 'Not today.' where tenant_id = $1 and id = $2`, [
    id,
    state,
  ]);
}

test('a call waits for its approval and runs once with it, however many ask at the same time', async () => {
  await rule(acme, 'four-eyes', 'tool.access == "write"', {
    effect: 'require_approval',
    message: 'Writing is careful.',
  });
  const write = (given: object = { text: 'a' }): Promise<Answer> => call(acme, 'write_off', given);
  const asked = await heard(write, (answer) => waitingOf(answer) !== undefined);
  const { approval_id: id } = waitingOf(asked) ?? { approval_id: '' };
  expect([asked.status, asked.json.result.isError, asked.json.result.content[0].text]).toEqual([
    200,
    true,
    expect.stringContaining(id),
  ]);
  expect(waitingOf(await write())?.approval_id).toBe(id);
  expect(waitingOf(await write({ text: 'b' }))?.approval_id).not.toBe(id);
  await gateway.publish(acme.id, 'orders', { find: `${upstream.origin}/find`, write_off: `${upstream.origin}/all` });
  const swapped = waitingOf(await heard(write, (answer) => waitingOf(answer)?.approval_id !== id))?.approval_id ?? '';
  const before = ran;
  await decide(acme, id, 'approved');
  expect([waitingOf(await write())?.approval_id, ran]).toEqual([swapped, before]);
  await decide(acme, swapped, 'approved');
  const answers = await Promise.all([write(), write(), write(), write()]);
  expect(answers.filter((answer) => waitingOf(answer) === undefined)).toHaveLength(1);
  expect(ran).toBe(before + 1);
  const run = await gateway.audited(
    acme,
    ({ event, details }) => event === 'call.completed' && details['approval'] === swapped,
  );
  expect(run.outcome).toBe('ok');
  await gateway.audited(acme, ({ event, target }) => event === 'approval.requested' && target === `approval:${id}`);
  await lift(acme);
});

test('an approval is nobody else’s, and a refused call is told why', async () => {
  await rule(acme, 'four-eyes', 'tool.access == "write"', { effect: 'require_approval' });
  const write = (key: string): Promise<Answer> => call({ ...acme, key }, 'write_off', { text: 'mine' });
  const mine = await heard(
    () => write(acme.key),
    (answer) => waitingOf(answer) !== undefined,
  );
  const id = waitingOf(mine)?.approval_id ?? '';
  await decide(acme, id, 'approved');
  const stranger = await gateway.apiKey(acme.id, ['mcp']);
  expect(waitingOf(await write(stranger.text))?.approval_id).not.toBe(id);
  await change(acme, `update approvals set expires_at = now() where tenant_id = $1 and id = $2`, [id]);
  const again = waitingOf(await write(acme.key))?.approval_id ?? '';
  expect(again).not.toBe(id);
  await gateway.audited(acme, ({ event, target }) => event === 'approval.expired' && target === `approval:${id}`);
  await decide(acme, again, 'refused');
  const refused = await write(acme.key);
  expect([refused.status, refused.json.error.message]).toEqual([
    403,
    expect.stringMatching(/: Not today\. Do not repeat it\.$/),
  ]);
  await lift(acme);
});

test('a server’s switch has tools approved that destroy, unless a rule allows them', async () => {
  await change(other, `update servers set approves_destructive = true where tenant_id = $1`);
  await heard(
    () => call(other, 'write_off'),
    (answer) => waitingOf(answer) !== undefined,
  );
  expect(waitingOf(await call(other, 'find'))).toBeUndefined();
  const session = await post(other, legacy(INITIALIZE));
  const headers = { 'mcp-session-id': String(session.headers['mcp-session-id']) };
  const message = legacy({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'write_off', arguments: {} } });
  const waits = await post(other, { ...message, headers: { ...message.headers, ...headers } });
  expect([waitingOf(waits)?.approval_id, waits.json.result.resultType]).toEqual([expect.any(String), undefined]);
  await change(
    other,
    `update releases set tool_hints = '{"write_off": {"destructiveHint": false, "method": "DELETE"}}' where tenant_id = $1`,
  );
  await rule(other, 'trusted', 'tool.name == "write_off"', { effect: 'allow' });
  await heard(
    () => call(other, 'write_off'),
    (answer) => waitingOf(answer) === undefined,
  );
});
