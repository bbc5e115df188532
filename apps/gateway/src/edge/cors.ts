import type { IncomingMessage, ServerResponse } from 'node:http';

const ALLOWED_HEADERS = [
  'Authorization',
  'DPoP',
  'X-API-Key',
  'Content-Type',
  'Accept',
  'MCP-Protocol-Version',
  'Mcp-Session-Id',
  'Mcp-Method',
  'Mcp-Name',
  'Last-Event-ID',
  'traceparent',
  'tracestate',
];
const PARAMETER_HEADER = /^mcp-param-[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/i;
const EXPOSED_HEADERS = 'Mcp-Session-Id, WWW-Authenticate, DPoP-Nonce, Retry-After';
const PREFLIGHT_SECONDS = 600;

/** Lets pages of an allowed origin read the answer; without an origin nothing is added. */
export function allowOrigin(response: ServerResponse, origin: string | undefined): void {
  if (origin === undefined) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
  response.setHeader('vary', 'Origin');
}

/** Answers a browser's preflight for a tenant URL: MCP's methods and headers, with the call's own `Mcp-Param-*`. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse): void {
  const asked = request.headers['access-control-request-headers'];
  const parameters = String(asked ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => PARAMETER_HEADER.test(name));
  response
    .writeHead(204, {
      'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
      'access-control-allow-headers': [...ALLOWED_HEADERS, ...parameters].join(', '),
      'access-control-max-age': String(PREFLIGHT_SECONDS),
    })
    .end();
}

/** Answers a browser's preflight for metadata, which agents in pages ask for with the version they speak. */
export function answerMetadataPreflight(response: ServerResponse): void {
  response
    .writeHead(204, {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-allow-headers': 'MCP-Protocol-Version',
      'access-control-max-age': String(PREFLIGHT_SECONDS),
    })
    .end();
}
