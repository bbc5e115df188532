import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { ECHO_TOOL, echoBy, HUNDRED_TOOLS } from './echo-tool.js';
import { listenAndTell } from './listen.js';

/** A server's request always has a method and a URL. */
type ModernRequest = IncomingMessage & { method: string; url: string };
type Echo = ReturnType<typeof echoBy>;

/**
 * What an author gets from the SDK alone, without sign-in, limits, audit or isolation: `createMcpHandler` in the 2026
 * era, a transport for each session in the 2025 era, both answering JSON. `/own`, `/upstream` and `/fetch` serve one echo
 * tool, `/hundred` serves a hundred tools.
 */
export function serveBare(upstreamPort: number): void {
  const own = echoBy('own', upstreamPort);
  const upstream = echoBy('upstream', upstreamPort);
  const servers: Record<string, () => McpServer> = {
    '/own': () => serverWith([ECHO_TOOL], own),
    '/upstream': () => serverWith([ECHO_TOOL], upstream),
    '/fetch': () => serverWith([ECHO_TOOL], echoBy('fetch', upstreamPort)),
    '/hundred': () => serverWith(HUNDRED_TOOLS, own),
  };
  const handlers = new Map(Object.entries(servers).map(([path, server]) => [path, bothEras(server)]));
  listenAndTell((request, response) => {
    const handler = handlers.get(request.url ?? '');
    if (handler === undefined) response.writeHead(404).end();
    else void handler(request, response);
  });
}

const schema = fromJsonSchema<{ text: string }>(ECHO_TOOL.inputSchema);

/** An SDK server of some tools that all echo. */
export function serverWith(tools: ReadonlyArray<typeof ECHO_TOOL>, echo: Echo): McpServer {
  const server = new McpServer({ name: 'bare', version: '1.0.0' });
  for (const { name, description } of tools) {
    server.registerTool(name, { description, inputSchema: schema }, async ({ text }) => ({
      content: [{ type: 'text', text: await echo(text) }],
    }));
  }
  return server;
}

function bothEras(server: () => McpServer): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const modern = toNodeHandler(createMcpHandler(server, { legacy: 'reject' }));
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  const open = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: true,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await server().connect(transport);
    return transport;
  };
  return async (request, response) => {
    if (request.headers['mcp-protocol-version'] === '2026-07-28') return modern(request as ModernRequest, response);
    const id = request.headers['mcp-session-id'];
    const transport = typeof id === 'string' ? sessions.get(id) : await open();
    if (transport === undefined) response.writeHead(404).end();
    else await transport.handleRequest(request, response);
  };
}
