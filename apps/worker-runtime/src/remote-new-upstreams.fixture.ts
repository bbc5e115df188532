import { randomUUID } from 'node:crypto';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  inputRequired,
  McpServer as NewServer,
  type McpHttpHandler,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { RemoteUpstream, type Handler } from './remote-upstreams.fixture.js';

const SAMPLE = {
  maxTokens: 5,
  messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'hi' } }],
};
const FORM = { type: 'object' as const, properties: { name: { type: 'string' as const } } };
/** Everything that a server may ask its client for. */
const QUESTIONS = {
  who: inputRequired.elicit({ message: 'Your name?', requestedSchema: FORM }),
  model: inputRequired.createMessage(SAMPLE),
  where: inputRequired.listRoots(),
};

/** A server of SDK v2 with a tool, a resource and a prompt; `ran` is told what became of a call that hangs. */
function newServer(name: string, ran: string[] = []): NewServer {
  const capabilities = { resources: { subscribe: true, listChanged: true } };
  const server = new NewServer({ name, version: '1' }, { capabilities });
  server.registerTool(
    'hello',
    { description: 'Says hello.', inputSchema: z.object({ who: z.string() }) },
    ({ who }) => ({
      content: [{ type: 'text', text: `Hello ${who} from ${name}` }],
      greeted: who,
    }),
  );
  server.registerTool(
    'regional',
    {
      description: 'Wants its region in a header.',
      inputSchema: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
    },
    ({ region }) => ({ content: [{ type: 'text', text: region }] }),
  );
  server.registerTool('ask', { description: 'Asks for everything that there is to ask for.' }, ({ mcpReq }) => {
    const { inputResponses } = mcpReq;
    if (inputResponses === undefined) return inputRequired({ inputRequests: QUESTIONS, requestState: 'asked' });
    const state = mcpReq.requestState<string>();
    return { content: [{ type: 'text', text: JSON.stringify({ ...inputResponses, state }) }] };
  });
  server.registerTool('hang', { description: 'Never answers.' }, async ({ mcpReq }) => {
    ran.push('hang');
    await new Promise((resolve) => mcpReq.signal.addEventListener('abort', resolve, { once: true }));
    ran.push('hang cancelled');
    return { content: [] };
  });
  server.registerResource('page', `page://${name}`, { description: 'A page.' }, () => ({
    contents: [{ uri: `page://${name}`, text: `page of ${name}` }],
  }));
  server.registerPrompt('ask', { description: 'Asks.' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Ask ${name}` } }],
  }));
  return server;
}

/** An upstream of SDK v2 that speaks the 2026 era alone. */
export function modernUpstream(
  name = 'modern',
  create = newServer,
): RemoteUpstream & { readonly tell: McpHttpHandler['notify']; readonly ran: readonly string[] } {
  const ran: string[] = [];
  const handler = createMcpHandler(() => create(name, ran), { legacy: 'reject' });
  return Object.assign(new RemoteUpstream(toNodeHandlerOf(handler)), { tell: handler.notify, ran });
}

function toNodeHandlerOf(handler: ReturnType<typeof createMcpHandler>): Handler {
  const serve = toNodeHandler(handler);
  return (request, response) => serve(request as never, response, (request as { body?: unknown }).body); // its types predate exactOptionalPropertyTypes
}

/** An upstream of SDK v2 that keeps 2025-era sessions. */
export function legacyUpstream(name = 'legacy', create = newServer): RemoteUpstream {
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  return new RemoteUpstream(async (request, response) => {
    const { body } = request as { body?: unknown };
    const known = sessions.get(String(request.headers['mcp-session-id'] ?? ''));
    if (known !== undefined) return known.handleRequest(request, response, body);
    const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await create(name).connect(transport);
    await transport.handleRequest(request, response, body);
  });
}
