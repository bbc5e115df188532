import { randomUUID } from 'node:crypto';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer as NewServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { RemoteUpstream, type Handler } from './remote-upstreams.fixture.js';

/** A server of SDK v2 with a tool, a resource and a prompt. */
function newServer(name: string): NewServer {
  const server = new NewServer({ name, version: '1' });
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
  server.registerResource('page', `page://${name}`, { description: 'A page.' }, () => ({
    contents: [{ uri: `page://${name}`, text: `page of ${name}` }],
  }));
  server.registerPrompt('ask', { description: 'Asks.' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Ask ${name}` } }],
  }));
  return server;
}

/** An upstream of SDK v2 that speaks the 2026 era alone. */
export function modernUpstream(name = 'modern'): RemoteUpstream {
  return new RemoteUpstream(toNodeHandlerOf(createMcpHandler(() => newServer(name), { legacy: 'reject' })));
}

function toNodeHandlerOf(handler: ReturnType<typeof createMcpHandler>): Handler {
  const serve = toNodeHandler(handler);
  return (request, response) => serve(request as never, response, (request as { body?: unknown }).body); // its types predate exactOptionalPropertyTypes
}

/** An upstream of SDK v2 that keeps 2025-era sessions. */
export function legacyUpstream(name = 'legacy'): RemoteUpstream {
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  return new RemoteUpstream(async (request, response) => {
    const { body } = request as { body?: unknown };
    const known = sessions.get(String(request.headers['mcp-session-id'] ?? ''));
    if (known !== undefined) return known.handleRequest(request, response, body);
    const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await newServer(name).connect(transport);
    await transport.handleRequest(request, response, body);
  });
}
