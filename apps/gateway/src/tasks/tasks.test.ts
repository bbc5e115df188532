import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Database, type Transaction } from '#libs/database';
import { until } from '#libs/testing';
import { publishBundle } from '../bundle.fixture.js';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { POST_HEADERS, send, type Answer } from '../requests.fixture.js';

let gateway: GatewayUnderTest;
let replica: string;
let acme: TenantUnderTest;
let database: Database;
/** The key of a principal that no other test has. */
let mine: string;
beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  database = await Database.connect({ ...gateway.store, role: 'wharf_gateway', poolSize: 1 });
  replica = await gateway.replica();
  acme = await gateway.tenant('acme', {});
  await publishBundle(gateway, acme.id, 'jobs', 'modern');
  await publishBundle(gateway, acme.id, 'older', 'legacy');
});
beforeEach(async () => {
  mine = (await gateway.apiKey(acme.id, ['mcp'])).text;
});
afterAll(async () => {
  await database.close();
  await gateway.stop();
});

interface From {
  readonly at?: string;
  readonly key?: string;
  readonly server?: string;
  readonly extensions?: object;
}

function ask(method: string, params: Record<string, unknown>, from: From = {}): Promise<Answer> {
  const { at = gateway.origin, key = mine, server = 'jobs', extensions = { [TASKS]: {} } } = from;
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, extensions },
  };
  const name = String(params['name'] ?? params['taskId']);
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': name };
  return send(`${at}/t/acme/${server}/mcp`, {
    headers: { ...POST_HEADERS, ...headers, authorization: `Bearer ${key}` },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { ...params, _meta } }),
  });
}

const TASKS = 'io.modelcontextprotocol/tasks';
const call = (name: string, given: object = {}, from?: From): Promise<Answer> =>
  ask('tools/call', { name, arguments: given }, from);
const get = async (taskId: string, from?: From): Promise<Answer['json']> =>
  (await ask('tasks/get', { taskId }, from)).json;
const begin = async (name: string): Promise<string> => (await call('begin', { name })).json.result.taskId;

/** What is kept of a task. */
async function kept(taskId: string): Promise<{ answer: Buffer | null; expires_at: Date } | undefined> {
  const [row] = await database.asTenant(acme.id, (tx) => rowsOf(tx, taskId));
  return row;
}

function rowsOf(tx: Transaction, taskId: string): Promise<Array<{ answer: Buffer | null; expires_at: Date }>> {
  return tx.query(`select answer, expires_at from tasks where task_id = $1`, [taskId]);
}

test('a task is its principal’s, at every gateway, also after a gateway’s restart', async () => {
  const taskId = await begin('one');
  expect((await get(taskId, { at: replica })).result).toMatchObject({ taskId, status: 'working' });
  const { text: key } = await gateway.apiKey(acme.id, ['mcp']);
  expect((await get(taskId, { key })).error).toMatchObject({ code: -32_602 });
  await gateway.restart();
  expect((await get(taskId)).result).toMatchObject({ taskId, status: 'working' });
});

test('what came of a task is kept though nobody asked, sealed, and outlives its worker', async () => {
  const taskId = await begin('two');
  await call('finish', { name: 'canary of two' });
  await until(async () => (await kept(taskId))?.answer, 'the task’s answer is kept');
  expect((await kept(taskId))?.answer?.includes('canary')).toBe(false);
  await call('crash');
  for (const at of [gateway.origin, replica]) {
    const { id, result } = await get(taskId, { at });
    expect({ id, result }).toMatchObject({
      id: 7,
      result: { taskId, status: 'completed', result: { content: [{ text: 'canary of two' }] } },
    });
  }
  const undeclared = await ask('tasks/get', { taskId }, { extensions: {} });
  expect(undeclared).toMatchObject({ status: 400, json: { error: { code: -32_021 } } });
  const { text: key } = await gateway.apiKey(acme.id, ['mcp']);
  expect((await get(taskId, { key })).error).toMatchObject({ code: -32_602 });
  expect((await ask('tasks/cancel', { taskId })).json.result).toEqual({ resultType: 'complete' });
});

test('a task whose worker has ended is told of as failed, with the reason', async () => {
  const taskId = await begin('three');
  await call('crash');
  const { result } = await get(taskId);
  expect(result).toMatchObject({ taskId, status: 'failed', error: { code: -32_603 } });
  expect(result.statusMessage).toContain('has ended, and the task with it');
  expect((await get(taskId, { at: replica })).result).toMatchObject({ status: 'failed' });
});

test('a task is for whoever may call its tool at the URL', async () => {
  const taskId = await begin('elsewhere');
  const move = (server: string) =>
    database.asTenant(acme.id, (tx) => tx.query(`update tasks set server = $1 where task_id = $2`, [server, taskId]));
  const [{ server }]: [{ server: string }] = await database.asTenant(acme.id, (tx) =>
    tx.query(`select server from tasks where task_id = $1`, [taskId]),
  );
  await call('crash');
  await move('another');
  expect((await get(taskId)).error?.code).toBe(-32_602);
  await move(server);
  expect((await get(taskId)).result).toMatchObject({ taskId, status: 'failed' });
});

test('no more tasks are kept than may be, and none for longer', async () => {
  const rows = `insert into tasks (tenant_id, id, principal, task_id, name_hash, server, tool, access, tenant_slug, mounts,
      poll_ms, expires_at)
    select $1, gen_random_uuid(), principal, 'filler ' || n, sha256(n::text::bytea), 'filler', 't', 'read', 'acme', '[]',
      1000, now() + interval '1 minute'
    from generate_series(1, 200) n, (select principal from tasks where task_id = $2) one`;
  const first = await begin('first');
  await database.asTenant(acme.id, (tx) => tx.query(rows, [acme.id, first]));
  const refused = await call('begin', { name: 'four' });
  expect(refused.json.error.message).toContain('Too many tasks are kept');
  await database.asTenant(acme.id, (tx) => tx.query(`update tasks set expires_at = now()`));
  const taskId = await begin('five');
  expect((await kept(taskId))?.expires_at.getTime()).toBeGreaterThan(Date.now() + 30_000);
});

test('a requestState is good at every gateway, as long as whoever made it can read it', async () => {
  const inputResponses = { who: { action: 'decline' } };
  const first = (await call('ask')).json.result;
  await call('crash');
  const again = { name: 'ask', arguments: {}, inputResponses, requestState: first.requestState };
  expect((await ask('tools/call', again, { at: replica })).json.result.content).toEqual([
    { type: 'text', text: 'own decline' },
  ]);
  const server = 'older';
  const asked = async (): Promise<{ requestState: string; inputRequests: object }> =>
    (await call('ask', {}, { server })).json.result;
  const answering = ({ requestState, inputRequests }: Awaited<ReturnType<typeof asked>>): Record<string, unknown> => {
    const [key = ''] = Object.keys(inputRequests);
    return { name: 'ask', arguments: {}, requestState, inputResponses: { [key]: { action: 'decline' } } };
  };
  const held = await ask('tools/call', answering(await asked()), { at: replica, server });
  expect(held.json.result.content).toEqual([{ type: 'text', text: 'decline' }]);
  const lost = answering(await asked());
  await call('crash', { worker: true }, { server });
  const { error } = (await ask('tools/call', lost, { at: replica, server })).json;
  expect(error).toMatchObject({ code: -32_602, data: { reason: 'call_not_waiting' } });
  expect(error.message).toContain('Make the call again without requestState');
});
