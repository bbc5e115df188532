import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer as OldServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { SubscribeRequestSchema, UnsubscribeRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

/** What answers an upstream's requests. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** One HTTP request that an upstream got. */
export interface Asked {
  readonly method: string;
  readonly rpc: string;
  readonly session: string | undefined;
  readonly authorization: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

/** A real HTTP server on loopback with an MCP server of somebody else in it, and what it was asked. */
export class RemoteUpstream {
  readonly asked: Asked[] = [];
  /** Answers in place of the MCP server, where it does. */
  inPlace: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  #port = 0;
  #server = createServer();

  constructor(private readonly handle: Handler) {}

  get url(): string {
    return `http://127.0.0.1:${this.#port}/mcp`;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, at the same port as before where there was one. */
  async start(): Promise<this> {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port; // a TCP server's address
    return this;
  }

  /** Is gone, at once. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  /** How often it was asked for a method. */
  times(rpc: string): number {
    return this.asked.filter((one) => one.rpc === rpc).length;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(request, 'end');
    const text = Buffer.concat(chunks).toString();
    const body: { method?: string } | undefined = text === '' ? undefined : JSON.parse(text);
    const { authorization, 'mcp-session-id': session } = request.headers;
    this.asked.push({
      method: request.method ?? '',
      rpc: body?.method ?? '',
      session: session === undefined ? undefined : String(session),
      authorization,
      headers: request.headers,
    });
    Object.assign(request, { body });
    if (this.inPlace?.(request, response) === true) return;
    await this.handle(request, response);
  }
}

/** An upstream of SDK v1, sessions and all, as they were written in 2025. */
export class OldUpstream extends RemoteUpstream {
  readonly #sessions: Map<string, { transport: StreamableHTTPServerTransport; server: OldServer }>;
  /** How often its tools ran. */
  readonly ran: string[];
  /** What its tool `echo` says of itself; sessions that are open hear of a change. */
  description = 'Says it again.';

  constructor() {
    const sessions = new Map<string, { transport: StreamableHTTPServerTransport; server: OldServer }>();
    const ran: string[] = [];
    super(async (request, response) => {
      const { body } = request as { body?: { method?: string } };
      const id = String(request.headers['mcp-session-id'] ?? '');
      const known = sessions.get(id);
      if (known !== undefined) return known.transport.handleRequest(request, response, body);
      if (body?.method !== 'initialize') {
        response.writeHead(id === '' ? 400 : 404, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }),
        );
        return;
      }
      const server = oldServer(this.description, ran, () => sessions);
      const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (given) => void sessions.set(given, { transport, server }),
      });
      await server.connect(transport as never); // its types predate exactOptionalPropertyTypes
      await transport.handleRequest(request, response, body);
    });
    this.#sessions = sessions;
    this.ran = ran;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Forgets every session, as after a restart. */
  forget(): void {
    this.#sessions.clear();
  }

  /** Tells every session that its lists have changed, whether they have or not. */
  tellChanged(): void {
    for (const { server } of this.#sessions.values()) {
      server.sendToolListChanged();
      server.sendResourceListChanged();
      server.sendPromptListChanged();
    }
  }

  /** Tells every session that a resource has changed. */
  tellUpdated(uri: string): void {
    for (const { server } of this.#sessions.values())
      if (server.isConnected()) void server.server.sendResourceUpdated({ uri });
  }

  /** Has a resource more from now on. */
  addResource(uri: string): void {
    for (const { server } of this.#sessions.values())
      server.registerResource(uri, uri, {}, () => ({ contents: [{ uri, text: uri }] }));
  }

  /** Says something else of `echo` from now on. */
  describe(description: string): void {
    this.description = description;
    for (const { server } of this.#sessions.values()) echoes.get(server)?.update({ description });
  }
}

const echoes = new WeakMap<OldServer, { update(changes: { description: string }): void }>();

function oldServer(description: string, ran: string[], sessions: () => Map<string, { server: OldServer }>): OldServer {
  const server = new OldServer(
    { name: 'old', version: '1' },
    { capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } } },
  );
  let count = 0;
  const text = (given: string) => ({ content: [{ type: 'text' as const, text: given }] });
  server.server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  const echo = server.registerTool('echo', { description, inputSchema: { text: z.string() } }, ({ text: said }) => {
    ran.push(`echo ${said}`);
    return text(said);
  });
  echoes.set(server, echo);
  server.registerTool('large', { description: 'Says too much.' }, () => text('x'.repeat(11 * 1024 * 1024)));
  server.registerTool('count', { description: 'Counts within its session.' }, () => text(String(++count)));
  server.registerTool('ask', { description: 'Asks the person.' }, async () => {
    const answer = await server.server.elicitInput({
      message: 'Your name?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
    });
    return text(JSON.stringify(answer));
  });
  server.registerTool('sample', { description: 'Asks the model.' }, async () =>
    text(
      JSON.stringify(
        await server.server.createMessage({
          maxTokens: 5,
          messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }],
        }),
      ),
    ),
  );
  server.registerTool('roots', { description: 'Asks for roots.' }, async () =>
    text(JSON.stringify(await server.server.listRoots())),
  );
  server.registerTool('steps', { description: 'Takes steps.' }, async (extra) => {
    const progressToken = extra._meta?.progressToken;
    if (progressToken !== undefined)
      for (const progress of [1, 2])
        await extra.sendNotification({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 2 },
        });
    await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data: 'careful' } });
    return text('done');
  });
  server.registerTool('flood', { description: 'Tells of every step.' }, async (extra) => {
    const progressToken = extra._meta?.progressToken ?? '';
    for (let progress = 1; progress <= 2_000; progress += 1)
      await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress } });
    return text('flooded');
  });
  server.registerTool('hang', { description: 'Never answers.' }, async (extra) => {
    ran.push('hang');
    await new Promise((resolve) => extra.signal.addEventListener('abort', resolve, { once: true }));
    ran.push('hang cancelled');
    return text('never');
  });
  server.registerTool('vanish', { description: 'Breaks its connection.' }, async () => {
    ran.push('vanish');
    for (const [id, known] of sessions()) if (known.server === server) sessions().delete(id);
    await server.close();
    return text('never');
  });
  server.registerResource('one', 'note://one', { description: 'A note.' }, () => ({
    contents: [{ uri: 'note://one', text: 'note one' }],
  }));
  server.registerResource('note', new ResourceTemplate('note://{id}', { list: undefined }), {}, (uri, { id }) => ({
    contents: [{ uri: uri.href, text: `note ${String(id)}` }],
  }));
  server.registerPrompt('greet', { description: 'Greets.', argsSchema: { who: z.string() } }, ({ who }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet ${who}` } }],
  }));
  return server;
}
