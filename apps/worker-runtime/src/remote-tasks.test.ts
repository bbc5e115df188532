import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ClientCapabilities } from '@modelcontextprotocol/client';
import { CLIENT_CAPABILITIES_META_KEY, McpServer, ProtocolError } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { until } from '#libs/testing';
import { modernUpstream } from './remote-new-upstreams.fixture.js';
import { RemoteStage, type RemoteRoute } from './remote-stage.fixture.js';

const TASKS = 'io.modelcontextprotocol/tasks';
const anything = z.looseObject({});
const ends: Record<string, object> = {
  completed: { result: { content: [{ type: 'text', text: 'done in the end' }] } },
  failed: { error: { code: -32_603, message: 'the job broke' } },
  input_required: { inputRequests: { who: { method: 'elicitation/create', params: {} } } },
};
/** How tasks end, and how often each was asked about. */
const tasks = new Map<string, { readonly end: string; looks: number }>();
const ran: string[] = [];

/** A server of SDK v2 whose tool `job` runs as a task alone, until it is asked about for the third time. */
function taskServer(name: string): McpServer {
  const mcp = new McpServer({ name, version: '1' }, { capabilities: { tools: {}, extensions: { [TASKS]: {} } } });
  const { server } = mcp;
  const inputSchema = { type: 'object' as const, properties: { end: { type: 'string' } } };
  server.setRequestHandler('tools/list', () => ({ tools: [{ name: 'job', description: 'A long one.', inputSchema }] }));
  server.setRequestHandler('tools/call', ({ params }, { mcpReq }) => {
    const able = Reflect.get(mcpReq.envelope ?? {}, CLIENT_CAPABILITIES_META_KEY) as ClientCapabilities; // the SDK has checked it
    ran.push(Object.hasOwn({ ...able.extensions }, TASKS) ? 'as a task' : 'refused');
    if (ran.at(-1) === 'refused') {
      const requiredCapabilities = { extensions: { [TASKS]: {} } };
      throw new ProtocolError(-32_021, 'This needs a client that follows tasks.', { requiredCapabilities });
    }
    const taskId = randomUUID();
    tasks.set(taskId, { end: String(params.arguments?.['end']), looks: 0 });
    return { resultType: 'task', ...told(taskId, 'working') } as never; // of the extension
  });
  server.setRequestHandler('tasks/get', { params: anything, result: anything }, ({ taskId }) => {
    const task = tasks.get(String(taskId));
    if (task === undefined) throw new ProtocolError(-32_602, 'unknown task');
    task.looks += 1;
    const over = task.looks >= 3 && ends[task.end] !== undefined;
    return {
      resultType: 'complete',
      ...told(String(taskId), over ? task.end : 'working'),
      ...(over ? ends[task.end] : {}),
    };
  });
  server.setRequestHandler('tasks/cancel', { params: anything, result: anything }, ({ taskId }) => {
    ran.push(`cancelled ${tasks.get(String(taskId))?.end}`);
    return { resultType: 'complete' };
  });
  return mcp;
}

function told(taskId: string, status: string): object {
  const now = new Date().toISOString();
  return { taskId, status, createdAt: now, lastUpdatedAt: now, ttlMs: 60_000, pollIntervalMs: 100 };
}

let stage: RemoteStage;
let route: RemoteRoute;
const upstream = modernUpstream('far', taskServer as never); // of the same SDK
beforeAll(async () => {
  stage = await RemoteStage.open();
  await upstream.start();
  route = await stage.publish(stage.tenant([upstream.port]), [{ name: 'far', url: upstream.url }]);
});
afterAll(async () => {
  await stage.close();
  await upstream.stop();
});

const job = (end: string, capabilities: object = {}) =>
  route.modern('tools/call', { name: 'job', arguments: { end } }, { capabilities });

test('a tool that runs as a task alone is called by every client, and its task is nobody else’s to ask about', async () => {
  const completed = [{ text: 'done in the end' }];
  expect((await job('completed')).rpc.result.content).toMatchObject(completed);
  expect(ran).toEqual(['refused', 'as a task']);
  const able = await job('completed', { extensions: { [TASKS]: {} } });
  expect(able.rpc.result).toMatchObject({ content: completed });
  expect(able.rpc.result['taskId']).toBeUndefined();
  const session = await route.session();
  expect((await session.call('job', { end: 'completed' })).rpc.result.content).toMatchObject(completed);
  expect(ran).toEqual(['refused', 'as a task', 'as a task', 'as a task']);
  const [taskId = ''] = tasks.keys();
  const asked = await route.modern('tasks/get', { taskId }, { capabilities: { extensions: { [TASKS]: {} } } });
  expect(asked.failure?.code).toBe('method_not_found');
  expect([...tasks.values()].every(({ looks }) => looks === 3)).toBe(true);
});

test('a task that fails, or asks, is told of; one whose client leaves is cancelled', async () => {
  expect((await job('failed')).rpc.error).toMatchObject({ code: -32_603, message: 'the job broke' });
  const asking = (await job('input_required')).rpc.result;
  expect(asking).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('was cancelled') }] });
  await until(() => ran.includes('cancelled input_required'), 'the task that asked is cancelled');
  const { leave } = route.begin('tools/call', { name: 'job', arguments: { end: 'never' } });
  await until(() => [...tasks.values()].some(({ end, looks }) => end === 'never' && looks > 0), 'the task runs');
  leave();
  await until(() => ran.includes('cancelled never'), 'the task is cancelled');
});
