import { newId } from '#libs/database';
import { canonicalJson, sha256Digest } from '#libs/protocol';
import { zipOf } from '#libs/testing';
import type { GatewayUnderTest } from './gateway.fixture.js';

/** A stdio server without the SDK, of either era: it asks, it begins tasks, and it ends when it is told to. */
const SERVER = `
import { createInterface } from 'node:readline';
const tasks = new Map();
const waiting = new Map();
let last = 0;
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
const text = (said) => ({ resultType: 'complete', content: [{ type: 'text', text: said }] });
const names = ['begin', 'finish', 'crash', 'ask'];
const tools = names.map((name) => ({ name, description: name, inputSchema: { type: 'object' } }));
const told = (task) => ({ resultType: 'complete', lastUpdatedAt: new Date().toISOString(), ttlMs: 60000, pollIntervalMs: 1000, ...task });
function call({ name, arguments: given = {}, inputResponses, requestState, _meta = {} }, id) {
  if (name === 'crash') process.kill(given.worker ? process.ppid : process.pid, 'SIGKILL');
  if (name === 'begin') {
    const task = { taskId: 'task-' + ++last + '-' + given.name, status: 'working', createdAt: new Date().toISOString() };
    tasks.set(task.taskId, task);
    return { ...told(task), resultType: 'task' };
  }
  if (name === 'finish') {
    for (const task of tasks.values()) Object.assign(task, { status: 'completed', result: text(given.name) });
    return text('finished');
  }
  const modern = 'io.modelcontextprotocol/protocolVersion' in _meta;
  const question = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { type: 'object', properties: {} } } };
  if (modern && inputResponses === undefined) return { resultType: 'input_required', inputRequests: { who: question }, requestState: 'own' };
  if (modern) return text(requestState + ' ' + inputResponses.who.action);
  send({ id: 'q' + ++last, ...question });
  waiting.set('q' + last, (answer) => send({ id, result: text(answer.action) }));
}
const methods = {
  'server/discover': () => ({ ...text(''), supportedVersions: ['2026-07-28'], capabilities: { tools: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } }, ttlMs: 0, cacheScope: 'private' }),
  initialize: () => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } }),
  'tools/list': () => ({ resultType: 'complete', tools, ttlMs: 0, cacheScope: 'private' }),
  'tools/call': call,
  'tasks/get': ({ taskId }) => tasks.has(taskId) && told(tasks.get(taskId)),
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params = {}, result } = JSON.parse(line);
  if (method === undefined) return waiting.get(id)?.(result);
  if (id === undefined) return;
  const answer = methods[method]?.(params, id);
  if (answer) send({ id, result: answer });
  else if (!methods[method] || answer === false) send({ id, error: { code: methods[method] ? -32602 : -32601, message: 'unknown' } });
});
`;

/** What is published as a bundle. */
interface Packed {
  readonly archive: Buffer;
  readonly tools: readonly string[];
  readonly offers: object | undefined;
}

function scripted(era: 'modern' | 'legacy'): Packed {
  const offers = era === 'modern' ? { extensions: { 'io.modelcontextprotocol/tasks': {} } } : undefined;
  const archive = zipOf([{ name: 'server/index.mjs', content: SERVER }]);
  return { archive, tools: ['begin', 'finish', 'crash', 'ask'], offers };
}

/** Publishes a bundled server of one era, this one where no other is given. */
export async function publishBundle(
  gateway: GatewayUnderTest,
  tenantId: string,
  slug: string,
  era: 'modern' | 'legacy',
  { archive, tools, offers }: Packed = scripted(era),
): Promise<void> {
  const artefact = sha256Digest(archive);
  const manifest = {
    version: 1,
    kind: 'bundle',
    server: { name: slug },
    origins: [],
    credentials: [],
    bundle: {
      artefact,
      entryPoint: 'server/index.mjs',
      name: slug,
      version: '1',
      era,
      ...(offers === undefined ? {} : { offers }),
    },
    tools: tools.map((name) => ({ name, description: name, inputSchema: { type: 'object' } })),
  };
  const bytes = Buffer.from(canonicalJson(manifest));
  const digest = sha256Digest(bytes);
  const releaseId = newId();
  const access = JSON.stringify(Object.fromEntries(tools.map((name) => [name, 'write'])));
  await gateway.control.asTenant(tenantId, async (tx) => {
    for (const [name, type, content] of [
      [digest, 'application/json', bytes],
      [artefact, 'application/zip', archive],
    ])
      await tx.query(
        `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, $3, $4, $5) on conflict (tenant_id, digest) do nothing`,
        [tenantId, name, type, content?.length, content],
      );
    await tx.query(
      `insert into servers (tenant_id, id, slug, name, writes) values ($1, $2, $3, $3, true) on conflict (tenant_id, slug) do nothing`,
      [tenantId, newId(), slug],
    );
    const [server]: Array<{ id: string }> = await tx.query(
      `select id from servers where tenant_id = $1 and slug = $2`,
      [tenantId, slug],
    );
    const serverId = server?.id;
    await tx.query(
      `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools)
       select $1, $2, $3, coalesce(max(number), 0) + 1, 'bundle', $4, 'live', '{}', '{}', $5 from releases where tenant_id = $1 and server_id = $3`,
      [tenantId, releaseId, serverId, digest, access],
    );
    await tx.query(`update servers set live_release_id = $3 where tenant_id = $1 and id = $2`, [
      tenantId,
      serverId,
      releaseId,
    ]);
  });
}
