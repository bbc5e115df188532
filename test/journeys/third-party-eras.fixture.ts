/** A server of the 2026 era that needs to know a name, says what it does, and has a resource that changes. */
export const MODERN_SERVER = `
import { inputRequired, Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
const requestedSchema = { type: 'object', properties: { name: { type: 'string' } } };
const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
const tool = (name) => ({ name, inputSchema: { type: 'object' } });
serveStdio(() => {
  const server = new Server({ name: 'modern', version: '1' }, { capabilities: { tools: {}, logging: {}, resources: { subscribe: true } } });
  server.setRequestHandler('tools/list', () => ({ tools: [tool('ask'), tool('log'), tool('touch')] }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    if (params.name === 'log') return (await mcpReq.log('warning', 'careful'), text('logged'));
    if (params.name === 'touch') return (await server.sendResourceUpdated({ uri: 'note://one' }), text('touched'));
    const who = mcpReq.inputResponses?.who;
    if (who !== undefined) return text(who);
    return inputRequired({ inputRequests: { who: inputRequired.elicit({ mode: 'form', message: 'Who?', requestedSchema }) } });
  });
  server.setRequestHandler('resources/list', () => ({ resources: [{ uri: 'note://one', name: 'one' }] }));
  return server;
}, { legacy: 'reject' });
`;

/** A server of the 2025 era that asks its client while it works. */
export const LEGACY_SERVER = `
import { ProtocolError, Server } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
const requestedSchema = { type: 'object', properties: { name: { type: 'string' } } };
const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
const server = new Server({ name: 'legacy', version: '1' }, { capabilities: { tools: {}, logging: {}, resources: { subscribe: true } } });
const ask = (message) => server.elicitInput({ mode: 'form', message, requestedSchema });
const TOOLS = {
  ask: async ({ topic }) => text([topic, (await ask('First, ' + topic)).content?.name, (await ask('Then, ' + topic)).content?.name]),
  both: async () => text((await Promise.all([ask('One'), ask('Other')])).map(({ content }) => content.name)),
  log: async () => {
    for (const level of ['info', 'error']) await server.sendLoggingMessage({ level, data: level });
    return text('logged');
  },
  touch: async () => (await server.sendResourceUpdated({ uri: 'note://one' }), text('touched')),
  visit: async () => { throw new ProtocolError(-32042, 'Go there first', { elicitations: [{ mode: 'url', message: 'Sign in', url: 'https://example.com/in', elicitationId: '7' }] }); },
};
server.setRequestHandler('tools/list', () => ({ tools: Object.keys(TOOLS).map((name) => ({ name, inputSchema: { type: 'object' } })) }));
server.setRequestHandler('tools/call', ({ params }) => TOOLS[params.name](params.arguments ?? {}));
server.setRequestHandler('resources/list', () => ({ resources: [{ uri: 'note://one', name: 'one' }] }));
server.setRequestHandler('resources/read', () => { throw new ProtocolError(-32002, 'no such note'); });
server.setRequestHandler('resources/subscribe', () => ({}));
server.setRequestHandler('resources/unsubscribe', () => ({}));
await server.connect(new StdioServerTransport());
`;
