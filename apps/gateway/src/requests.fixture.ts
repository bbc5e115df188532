import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** One answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The body as JSON. */
  readonly json: any; // eslint-disable-line typescript/no-explicit-any -- a test looks into answers of any shape
}

/** Sends one request with exactly these headers. */
export function send(
  url: string,
  options: { method?: string; headers?: Record<string, string> | readonly string[]; body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method: options.method ?? 'POST', headers: options.headers ?? {}, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: text.startsWith('{') ? JSON.parse(text) : undefined,
          });
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

/** What every POST carries. */
export const POST_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** A request of the 2026 era: its headers and its body. */
export function modern(
  method: string,
  params: Record<string, unknown> = {},
  id: string | number = 1,
): { headers: Record<string, string>; body: string } {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const named = typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {};
  return {
    headers: { ...POST_HEADERS, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...named },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } }),
  };
}

/** A message of the 2025 era. */
export function legacy(
  message: Record<string, unknown>,
  sessionId?: string,
): { headers: Record<string, string>; body: string } {
  return {
    headers: {
      ...POST_HEADERS,
      'mcp-protocol-version': '2025-11-25',
      ...(sessionId === undefined ? {} : { 'mcp-session-id': sessionId }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  };
}

/** The handshake of the 2025 era. */
export const INITIALIZE = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

/** What is promised to be there within so many milliseconds. @throws Error when it is not */
export async function within<T>(milliseconds: number, promised: Promise<T>): Promise<T> {
  const late = new AbortController();
  const deadline = pause(milliseconds, undefined, { signal: late.signal }).then(() => {
    throw new Error(`not there after ${milliseconds} ms`);
  });
  deadline.catch(() => undefined); // ended below
  try {
    return await Promise.race([promised, deadline]);
  } finally {
    late.abort();
  }
}
