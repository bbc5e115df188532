import type { Manifest } from '#libs/protocol';
import type { RunnerProcess, Reply } from '../runner-process.fixture.js';

/** A server of two tools: one reads a thing, one writes it and promises its result. */
export const THINGS: Manifest = {
  version: 1,
  kind: 'http',
  server: { name: 'things', title: 'Things', instructions: 'Keeps things.' },
  origins: ['https://api.example.com'],
  credentials: [],
  tools: [
    {
      name: 'get_thing',
      title: 'Get a thing',
      description: 'Reads one thing.',
      inputSchema: {
        type: 'object',
        properties: {
          id: { type: 'string', 'x-mcp-header': 'Thing' },
          colour: { enum: ['red', 'green'] },
          limit: { type: 'integer' },
        },
        required: ['id'],
      },
      annotations: { readOnlyHint: true },
      http: {
        method: 'GET',
        urlTemplate: 'https://api.example.com/things/{id}',
        placements: [
          { argument: 'id', in: 'path', name: 'id' },
          { argument: 'colour', in: 'query', name: 'colour' },
          { argument: 'limit', in: 'query', name: 'limit' },
        ],
        headers: {},
        credentials: [],
        timeoutMs: 5_000,
      },
    },
    {
      name: 'put_thing',
      description: 'Writes one thing.',
      inputSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
      outputSchema: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
      http: {
        method: 'POST',
        urlTemplate: 'https://api.example.com/things',
        placements: [{ argument: 'name', in: 'body', name: 'name' }],
        headers: {},
        bodyType: 'json',
        credentials: [],
        timeoutMs: 5_000,
      },
    },
  ],
};

/** A request of the 2026 era with the metadata it must carry. */
export function modern(id: number | string, method: string, params: object = {}, version = '2026-07-28'): object {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  };
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta } };
}

/** A request of the 2025 era. */
export function request(id: number | string, method: string, params?: object): object {
  return { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) };
}

/** A legacy session's options for `post` and `ask`. */
export function inSession(sessionId: string): { readonly era: 'legacy'; readonly sessionId: string } {
  return { era: 'legacy', sessionId };
}

/** Opens a session of the 2025 era; answers its `initialize` reply. */
export async function initialize(
  runner: RunnerProcess,
  sessionId: string,
  protocolVersion = '2025-11-25',
): Promise<Reply> {
  const clientInfo = { name: 'test', version: '1' };
  const reply = await runner.ask(
    request(0, 'initialize', { protocolVersion, capabilities: {}, clientInfo }),
    inSession(sessionId),
  );
  await runner.ask({ jsonrpc: '2.0', method: 'notifications/initialized' }, inSession(sessionId));
  return reply;
}
