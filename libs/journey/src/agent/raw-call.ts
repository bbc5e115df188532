import { z } from 'zod';

const ANSWER_MS = 60_000;
const VERSION = '2026-07-28';
const messageShape = z.object({
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
});

/** One request of MCP 2026-07-28 as it goes over the wire, without an SDK between. */
export interface RawCall {
  readonly url: string;
  /** API key or access token; without it, nothing is sent. */
  readonly bearer?: string;
  readonly method: string;
  /** Further headers; they win. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** The answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where the body is no JSON-RPC message. */
  readonly message: z.infer<typeof messageShape> | undefined;
}

/** Sends one request (MCP 2026-07-28, basic/transports: `MCP-Protocol-Version`, `Mcp-Method` and `Mcp-Name` mirror the body). */
export async function callRaw({ url, bearer, method, params = {}, headers = {} }: RawCall): Promise<RawAnswer> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'wharf-journey', version: '1.0.0' },
  };
  const { name } = params;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': VERSION,
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  return { status: response.status, headers: response.headers, message: messageOf(await response.text()) };
}

/** The message of a JSON body, or the last one of an event stream. */
function messageOf(body: string): RawAnswer['message'] {
  const events = body.split(/\r?\n/).filter((line) => line.startsWith('data:'));
  try {
    const parsed = messageShape.safeParse(JSON.parse(events.at(-1)?.slice('data:'.length) ?? body));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
