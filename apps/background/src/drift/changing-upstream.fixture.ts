import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** What a tool of the upstream is now. */
export interface ChangingTool {
  readonly description: string;
  readonly arguments?: Readonly<Record<string, z.ZodType>>;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** Somebody's MCP server of one era on loopback, whose tools are whatever the test says they are by now. */
export class ChangingUpstream {
  tools: Readonly<Record<string, ChangingTool>> = { greet: { description: 'Greets.' } };
  prompts: readonly string[] = [];
  readonly #server: Server;
  readonly #sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  #port = 0;

  constructor(era: 'modern' | 'legacy') {
    const modern = toNodeHandler(createMcpHandler(() => this.#make(), { legacy: 'reject' }));
    this.#server = createServer((request, response) => {
      void (era === 'modern' ? modern(request as never, response) : this.#serveLegacy(request, response)); // its types predate exactOptionalPropertyTypes
    });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://localhost:${this.#port}/mcp`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, 'localhost', resolve));
    this.#port = (this.#server.address() as AddressInfo).port; // it listens on TCP
    return this;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #make(): McpServer {
    const server = new McpServer({ name: 'changing', version: '1' });
    for (const [name, { description, arguments: shape, meta }] of Object.entries(this.tools))
      server.registerTool(
        name,
        { description, inputSchema: z.object(shape ?? {}), ...(meta && { _meta: meta }) },
        () => ({
          content: [{ type: 'text', text: name }],
        }),
      );
    for (const name of this.prompts)
      server.registerPrompt(name, {}, () => ({ messages: [{ role: 'user', content: { type: 'text', text: name } }] }));
    return server;
  }

  async #serveLegacy(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(request, 'end');
    const text = Buffer.concat(chunks).toString();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const known = this.#sessions.get(String(request.headers['mcp-session-id'] ?? ''));
    if (known !== undefined) return known.handleRequest(request, response, body);
    const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void this.#sessions.set(id, transport),
    });
    await this.#make().connect(transport);
    await transport.handleRequest(request, response, body);
  }
}
