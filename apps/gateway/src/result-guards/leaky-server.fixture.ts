import { zipOf } from '#libs/testing';
import { publishBundle } from '../bundle.fixture.js';
import type { GatewayUnderTest } from '../gateway.fixture.js';

/** What is personal in everything that the leaky server says. */
export const LEAK = 'ada@example.com';

/** A stdio server that names a person wherever a message of a server can have a text. */
const SERVER = `
import { createInterface } from 'node:readline';
const leak = '${LEAK}';
const base64 = Buffer.from('bytes of ' + leak).toString('base64');
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
const whole = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
const names = ['everything', 'streams', 'fails', 'asks', 'samples', 'begins'];
const tools = names.map((name) => ({ name, description: name, inputSchema: { type: 'object' } }));
const now = () => new Date().toISOString();
let asked;
const calls = {
  everything: () => ({
    ...whole,
    content: [
      { type: 'text', text: 'text ' + leak },
      { type: 'resource_link', uri: 'people://' + leak, name: 'link of ' + leak },
      { type: 'resource', resource: { uri: 'note://1', mimeType: 'text/plain', text: 'embedded ' + leak } },
      { type: 'resource', resource: { uri: 'note://2', mimeType: 'application/octet-stream', blob: base64 } },
      { type: 'image', mimeType: 'image/png', data: Buffer.from([137, 80, 78, 71, 255, 254]).toString('base64') },
    ],
    structuredContent: { person: { mail: leak, [leak]: 1, card: 4111111111111111 } },
    _meta: { note: leak },
  }),
  streams: (id, params) => {
    const progressToken = params._meta?.progressToken;
    send({ method: 'notifications/message', params: { level: 'warning', data: { log: leak } } });
    if (progressToken !== undefined) send({ method: 'notifications/progress', params: { progressToken, progress: 1, message: 'part ' + leak } });
    return { ...whole, content: [{ type: 'text', text: 'streamed ' + leak }] };
  },
  fails: (id) => void send({ id, error: { code: -32000, message: 'no such person ' + leak, data: { who: leak } } }),
  asks: (id) => {
    send({ id: 'q1', method: 'elicitation/create', params: { message: 'Is it ' + leak + '?', requestedSchema: { type: 'object', properties: {} } } });
    asked = id;
  },
  samples: (id) => {
    const said = { role: 'user', content: { type: 'text', text: 'Who is ' + leak + '?' } };
    send({ id: 'q2', method: 'sampling/createMessage', params: { messages: [said], systemPrompt: 'You know ' + leak, maxTokens: 5 } });
    asked = id;
  },
  begins: () => ({ ...task, resultType: 'task' }),
};
const task = { ...whole, taskId: 'task-1', status: 'completed', statusMessage: 'done for ' + leak, createdAt: now(), lastUpdatedAt: now(), ttlMs: 60000, pollIntervalMs: 1000,
  result: { ...whole, content: [{ type: 'text', text: 'task of ' + leak }] } };
const methods = {
  'server/discover': () => ({ ...whole, supportedVersions: ['2026-07-28'], capabilities: { tools: {}, resources: {}, prompts: {}, logging: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } } }),
  initialize: () => ({ protocolVersion: '2025-11-25', capabilities: { tools: {}, resources: {}, prompts: {}, logging: {} }, serverInfo: { name: 's', version: '1' } }),
  'tools/list': () => ({ ...whole, tools }),
  'resources/list': () => ({ ...whole, resources: [{ uri: 'note://1', name: 'one' }] }),
  'resources/templates/list': () => ({ ...whole, resourceTemplates: [] }),
  'prompts/list': () => ({ ...whole, prompts: [{ name: 'write' }] }),
  'logging/setLevel': () => ({}),
  'resources/read': ({ uri }) => ({ ...whole, contents: [{ uri, text: 'read ' + leak }, { uri, blob: base64 }] }),
  'prompts/get': () => ({ ...whole, description: 'about ' + leak, messages: [{ role: 'user', content: { type: 'text', text: 'prompt ' + leak } }] }),
  'tasks/get': () => task,
  'tools/call': (params, id) => calls[params.name](id, params),
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params = {}, result } = JSON.parse(line);
  if (method === undefined) return send({ id: asked, result: { content: [{ type: 'text', text: result?.action + ' ' + leak }] } });
  if (id === undefined) return;
  if (!methods[method]) return send({ id, error: { code: -32601, message: 'unknown' } });
  const answer = methods[method](params, id);
  if (answer) send({ id, result: answer });
});
`;

/** Publishes the leaky server, as one of this era. */
export function publishLeaky(
  gateway: GatewayUnderTest,
  tenantId: string,
  slug: string,
  era: 'modern' | 'legacy',
): Promise<void> {
  const archive = zipOf([{ name: 'server/index.mjs', content: SERVER }]);
  const extensions = era === 'modern' ? { extensions: { 'io.modelcontextprotocol/tasks': {} } } : {};
  const offers = { resources: { subscribe: false }, prompts: {}, logging: {}, ...extensions };
  const tools = ['everything', 'streams', 'fails', 'asks', 'samples', 'begins'];
  return publishBundle(gateway, tenantId, slug, era, { archive, tools, offers });
}
