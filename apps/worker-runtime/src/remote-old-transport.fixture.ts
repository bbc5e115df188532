import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { RemoteUpstream } from './remote-upstreams.fixture.js';

/** An upstream of SDK v1 that knows HTTP+SSE of 2024-11-05 and nothing newer. */
export function sseUpstream(): RemoteUpstream & { readonly drop: () => void; readonly streams: () => number } {
  const open = new Map<string, SSEServerTransport>();
  let streams = 0;
  const upstream = new RemoteUpstream(async (request, response) => {
    const { body, url = '' } = request as { body?: unknown; url?: string };
    if (request.method === 'GET') {
      streams += 1;
      const transport = new SSEServerTransport('/messages', response);
      open.set(transport.sessionId, transport);
      await server().connect(transport as never); // its types predate exactOptionalPropertyTypes
      return;
    }
    const known = open.get(new URLSearchParams(url.split('?')[1]).get('sessionId') ?? '');
    if (known === undefined) response.writeHead(405).end();
    else await known.handlePostMessage(request as never, response, body); // its types predate exactOptionalPropertyTypes
  });
  const drop = (): void => {
    for (const transport of open.values()) void transport.close();
    open.clear();
  };
  return Object.assign(upstream, { drop, streams: () => streams });
}

function server(): OldServer {
  const own = new OldServer({ name: 'older', version: '1' });
  let count = 0;
  own.registerTool('count', { description: 'Counts within its session.' }, () => ({
    content: [{ type: 'text', text: String(++count) }],
  }));
  own.registerTool('ask', { description: 'Asks the person.' }, async () => {
    const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } } };
    const answer = await own.server.elicitInput({ message: 'Your name?', requestedSchema });
    return { content: [{ type: 'text', text: JSON.stringify(answer) }] };
  });
  return own;
}
