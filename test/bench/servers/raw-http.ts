import { ECHO_TOOL, echoBy, HUNDRED_TOOLS, type EchoKind } from './echo-tool.js';
import { bodyOf, listenAndTell } from './listen.js';

interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly arguments?: { readonly text: string } };
}

/** The floor: JSON in, JSON out, by `node:http` alone. It keeps to no protocol and guards nothing. */
export function serveRaw(upstreamPort: number): void {
  const echo: Record<Exclude<EchoKind, 'fetch'>, ReturnType<typeof echoBy>> = {
    own: echoBy('own', upstreamPort),
    upstream: echoBy('upstream', upstreamPort),
  };
  const resultOf = async ({ method, params }: Message, path: string): Promise<object> => {
    if (method === 'tools/list') return { tools: path === '/hundred' ? HUNDRED_TOOLS : [ECHO_TOOL] };
    if (method !== 'tools/call') return { supportedVersions: ['2026-07-28'] };
    const text = await echo[path === '/upstream' ? 'upstream' : 'own'](params?.arguments?.text ?? '');
    return { content: [{ type: 'text', text }] };
  };
  listenAndTell((request, response) => {
    void bodyOf(request).then(async (body) => {
      const message = JSON.parse(body) as Message; // the bench's own load
      if (message.id === undefined) return response.writeHead(202, { 'content-length': 0 }).end();
      const result = await resultOf(message, request.url ?? '/');
      const answer = JSON.stringify({ jsonrpc: '2.0', id: message.id, result });
      return response
        .writeHead(200, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(answer),
          'mcp-session-id': 'none',
        })
        .end(answer);
    });
  });
}
