import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { legacy, POST_HEADERS, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';
import { countsOf, until } from './counted.fixture.js';

let gateway: GatewayUnderTest;
let upstream: Listening;
let own: TenantUnderTest;
let twin: TenantUnderTest;
/** What the upstream has not answered yet. */
const held: ServerResponse[] = [];

beforeAll(async () => {
  let shaken = 0;
  upstream = await listen((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url?.includes('text=hold') === true) return void held.push(response);
    return void response.writeHead(request.url?.startsWith('/shaky') === true && shaken++ === 0 ? 500 : 200).end('{}');
  });
  gateway = await GatewayUnderTest.start();
  const tools = { find: `${upstream.origin}/find`, shaky: `${upstream.origin}/shaky` };
  [own, twin] = [await gateway.tenant('own', tools), await gateway.tenant('twin', tools)];
  await Promise.all([gateway.allow(own, upstream), gateway.allow(twin, upstream)]);
});
afterAll(async () => {
  jest.restoreAllMocks();
  await gateway.stop();
  await upstream.close();
});

/** Connects as an agent of one of the two eras does. */
async function connect(tenant: TenantUnderTest, name: string, era: 'modern' | 'legacy') {
  const transport = new StreamableHTTPClientTransport(new URL(tenant.serverUrl), {
    requestInit: { headers: { authorization: `Bearer ${tenant.key}` } },
  });
  const pinned = era === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {};
  const client = new Client({ name, version: '1' }, pinned);
  await client.connect(transport);
  const call = (tool: string, given: Record<string, unknown> = {}, signal?: AbortSignal): Promise<unknown> =>
    // Whether a call ends well is for the counters to say.
    client.callTool({ name: tool, arguments: given }, signal && { signal }).catch((error: unknown) => error);
  const close = async (): Promise<void> => {
    await transport.terminateSession();
    await client.close();
  };
  return { call, close, transport, client };
}

test('scripted calls of real clients of both eras count as exactly what they are', async () => {
  const modern = await connect(own, 'Cursor', 'modern');
  await modern.call('shaky'); // fails
  await modern.call('shaky'); // corrected, and word for word the same
  for (const given of [{}, {}, { text: 7 }]) await modern.call('find', given); // one repeated, one not what the tool takes
  await modern.call('canary-no-tool');
  const left = new AbortController();
  const leaving = modern.call('find', { text: 'hold' }, left.signal);
  await until(async () => held.length === 1);
  const inFlight = 'wharf_tool_calls_in_flight{tenant=own,server=orders,tool=orders/find}';
  expect((await countsOf(/in_flight/))[inFlight]).toBe(1);
  left.abort();
  await leaving;

  const first = await connect(own, 'claude-code', 'legacy');
  await first.call('find');
  await first.call('find', { text: 7 });
  await first.close(); // abandoned: its last call failed
  const second = await connect(own, 'claude-code', 'legacy');
  await second.call('find');
  await breakOff(second.transport.sessionId ?? '');
  const failed = legacy({ id: 1, method: 'initialize', params: {} });
  await send(own.serverUrl, { ...failed, headers: { ...failed.headers, authorization: `Bearer ${own.key}` } });
  await (await connect(twin, 'Cursor', 'modern')).call('find');

  await until(
    async () => (await countsOf(/disconnects/))['wharf_disconnects_total{era=legacy,operation=message}'] === 1,
  );
  await until(async () => (await countsOf(/tool_calls_in_flight/))[inFlight] === 0);
  expect(await countsOf(/^wharf_(handshakes|jsonrpc_errors|disconnects|sessions_active)/)).toEqual({
    'wharf_handshakes_total{era=modern,client=cursor,result=ok}': 2,
    'wharf_handshakes_total{era=legacy,client=claude-code,result=ok}': 2,
    'wharf_handshakes_total{era=legacy,client=other,result=failed}': 1,
    'wharf_jsonrpc_errors_total{code=-32602,era=modern,client=cursor}': 1,
    'wharf_jsonrpc_errors_total{code=-32602,era=legacy,client=other}': 1,
    'wharf_disconnects_total{era=modern,operation=message}': 1,
    'wharf_disconnects_total{era=legacy,operation=message}': 1,
    'wharf_sessions_active{era=legacy}': 1,
    'wharf_sessions_active{era=modern}': 2,
  });
  await second.close();
  await endIdleSessions();
  expect(await countsOf(/^wharf_(agent_\w+|sessions_active|session_duration_seconds_count)$/)).toEqual({
    'wharf_agent_faults_total{fault=invalid_arguments,client=cursor}': 1,
    'wharf_agent_faults_total{fault=unknown_tool,client=cursor}': 1,
    'wharf_agent_faults_total{fault=invalid_arguments,client=claude-code}': 1,
    'wharf_agent_repeated_calls_total{client=cursor}': 2,
    'wharf_agent_failures_total{followed_by=success,client=cursor}': 1,
    'wharf_agent_failures_total{followed_by=nothing,client=cursor}': 2,
    'wharf_agent_failures_total{followed_by=nothing,client=claude-code}': 1,
    'wharf_agent_sessions_total{era=legacy,client=claude-code,result=abandoned}': 1,
    'wharf_agent_sessions_total{era=legacy,client=claude-code,result=finished}': 1,
    'wharf_agent_sessions_total{era=modern,client=cursor,result=abandoned}': 1,
    'wharf_agent_sessions_total{era=modern,client=cursor,result=finished}': 1,
    'wharf_session_duration_seconds_count{era=legacy}': 2,
    'wharf_session_duration_seconds_count{era=modern}': 2,
    'wharf_sessions_active{era=legacy}': 0,
    'wharf_sessions_active{era=modern}': 0,
  });
  const ofTools = /^wharf_tool_(calls_total|calls_in_flight|duration_seconds_count|queue_seconds_count)$/;
  expect(await countsOf(ofTools)).toMatchObject({
    'wharf_tool_calls_total{tenant=own,server=orders,tool=orders/find,outcome=ok,release=stable}': 5,
    'wharf_tool_queue_seconds_count{tenant=own,server=orders,tool=orders/find}': 7,
  });
});

/** A client of the 2025 era that drops its request: the call goes on, and ends when the upstream answers. */
async function breakOff(sessionId: string): Promise<void> {
  const dropped = new AbortController();
  const closed = closeOfRequest('x-dropped');
  const params = { name: 'find', arguments: { text: 'hold' } };
  const { body } = legacy({ id: 9, method: 'tools/call', params });
  const headers = {
    ...POST_HEADERS,
    'x-dropped': '1',
    'mcp-session-id': sessionId,
    authorization: `Bearer ${own.key}`,
  };
  const request = fetch(own.serverUrl, { method: 'POST', headers, body, signal: dropped.signal });
  await until(async () => held.length === 2);
  dropped.abort();
  await request.catch(() => undefined);
  await closed;
  held[1]?.end('{}');
}

/** Resolves when the gateway sees that the client of the request with this header is gone. */
function closeOfRequest(header: string): Promise<void> {
  return new Promise((resolve) => {
    const hear = (message: unknown): void => {
      const { request, response } = message as { request: IncomingMessage; response: ServerResponse }; // Node's own channel
      if (request.headers[header] === undefined) return;
      unsubscribe('http.server.request.start', hear);
      response.once('close', resolve);
    };
    subscribe('http.server.request.start', hear);
  });
}

/** Ten minutes go by: by then requests of the 2026 era are no longer one session. */
async function endIdleSessions(): Promise<void> {
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + 600_001);
  await until(async () => (await countsOf(/sessions_active/))['wharf_sessions_active{era=modern}'] === 0);
}

interface Row {
  readonly server: string;
  readonly tool: string;
  readonly counted: number;
  readonly peak: number;
}

function rowsOf(tenant: TenantUnderTest): Promise<Row[]> {
  return gateway.control.asTenant(tenant.id, (tx) =>
    tx.query(
      `select server, tool, sum(calls)::int as calls, sum(tool_errors)::int as tool_errors,
         sum(invalid_arguments)::int as invalid_arguments, sum(unknown_tools)::int as unknown_tools,
         sum(corrections)::int as corrections, sum(repeats)::int as repeats,
         sum((select sum(n) from unnest(buckets) as n))::int as counted,
         sum((select sum(n) from unnest(queue_buckets) as n))::int as queued, max(concurrency_peak)::int as peak
       from call_rollups group by server, tool order by server, tool`,
    ),
  );
}

test('and are summed up by tool for their own tenant, over restarts, and names of no tool together', async () => {
  await gateway.restart(); // writes what there is
  await (await connect(twin, 'Cursor', 'modern')).call('find');
  await gateway.restart();
  const none = { tool_errors: 0, invalid_arguments: 0, unknown_tools: 0, corrections: 0, repeats: 0, peak: 1 };
  expect(await rowsOf(own)).toEqual([
    { ...none, server: '', tool: 'other', calls: 1, unknown_tools: 1, counted: 1, queued: 1 },
    {
      ...none,
      server: 'orders',
      tool: 'find',
      calls: 8,
      tool_errors: 2,
      invalid_arguments: 2,
      repeats: 1,
      counted: 8,
      queued: 7,
    },
    {
      ...none,
      server: 'orders',
      tool: 'shaky',
      calls: 2,
      tool_errors: 1,
      corrections: 1,
      repeats: 1,
      counted: 2,
      queued: 2,
    },
  ]);
  expect(await rowsOf(twin)).toEqual([{ ...none, server: 'orders', tool: 'find', calls: 2, counted: 2, queued: 2 }]);
});
