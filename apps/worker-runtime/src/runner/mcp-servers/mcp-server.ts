import {
  ProtocolError,
  Server,
  type CallToolResult,
  type JSONRPCRequest,
  type ListToolsResult,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { Envelope } from '#libs/protocol';
import { modernClientOf, type ModernClient } from '../peer/modern-client.js';
import { findHeaderMismatch } from '../tools/parameter-headers.js';
import { forwardOffers, offeredCapabilities, type Forward } from '../forwarding/forwarding.js';
import { viewed } from '../forwarding/viewed.js';
import { StdioFailure } from '../hosting/stdio-failure.js';
import { RemoteFailure } from '../upstream/remote-failure.js';
import type { Catalogue, CatalogueTool } from './catalogue.js';

/** What is made of a release alone is the same as long as it is live, which listeners hear of. */
const RELEASE_TTL_MS = 60_000;
const DISCOVER_HINT = { 'server/discover': { ttlMs: RELEASE_TTL_MS } };
const STEADY_HINTS = { ...DISCOVER_HINT, 'tools/list': { ttlMs: RELEASE_TTL_MS } };

/** One tool call, ready to run. */
export interface ToolCall {
  readonly tool: CatalogueTool;
  readonly arguments: unknown;
  /** Id of the JSON-RPC request. */
  readonly requestId: JSONRPCRequest['id'];
  readonly signal: AbortSignal;
  /** Tells the caller how far the tool is, where it asked for that. */
  readonly onProgress: ((progress: ToolProgress) => void) | undefined;
  /** What the request carries beside its parameters. */
  readonly meta: Readonly<Record<string, unknown>> | undefined;
  /** 2026 era: what the request tells of its client. */
  readonly client: ModernClient | undefined;
}

/** How far a tool is (MCP, basic/utilities/progress). */
export interface ToolProgress {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

/** The list as a caller has it now. */
export type ListTools = (context: ServerContext) => Promise<ListToolsResult>;

/** How an SDK server is told apart from the next. */
export interface ServerOptions {
  readonly catalogue: Catalogue;
  readonly era: Envelope['era'];
  /** Modern era: the request's `Mcp-Param-*` headers; undefined where it names its tool among its arguments, which none mirrors. */
  readonly parameterHeaders?: Readonly<Record<string, string>> | undefined;
  readonly runTool: (call: ToolCall) => Promise<CallToolResult>;
  readonly forward: Forward;
  /** Asked where the list is not always the same: with upstream servers. */
  readonly listTools: ListTools;
  /** Hears of a request that names a tool which does not exist. */
  readonly onUnknownTool: (requestId: JSONRPCRequest['id']) => void;
}

/**
 * One SDK server for one session or one modern request, never shared: request ids of different clients collide.
 * Tools are looked up in the catalogue at call time, so that a server costs the same however many tools there are.
 */
export function createServer({
  catalogue,
  era,
  parameterHeaders,
  runTool,
  forward,
  ...options
}: ServerOptions): Server {
  const servers = catalogue.hosted;
  const server = new Server(catalogue.server, {
    // The gateway tells listeners of the 2026 era when another release takes over.
    capabilities: { tools: toolsCapability(catalogue, era), ...offeredCapabilities({ era, servers }) },
    cacheHints: catalogue.steady ? STEADY_HINTS : DISCOVER_HINT,
    ...(catalogue.instructions === undefined ? {} : { instructions: catalogue.instructions }),
  });
  server.setRequestHandler('tools/list', (_request, context) =>
    catalogue.steady ? { tools: [...catalogue.listed] } : options.listTools(context),
  );
  server.setRequestHandler('tools/call', ({ params }, context) => {
    const tool = catalogue.findTool(params.name);
    if (tool === undefined) {
      options.onUnknownTool(context.mcpReq.id);
      throw new ProtocolError(ERROR_CATALOGUE.invalid_params.jsonRpc, catalogue.unknownTool(params.name));
    }
    if (era === 'modern' && parameterHeaders !== undefined) refuseMismatch(tool, params.arguments, parameterHeaders);
    return runTool({
      tool,
      arguments: params.arguments ?? {},
      requestId: context.mcpReq.id,
      signal: context.mcpReq.signal,
      onProgress: progressOf(context),
      meta: context.mcpReq._meta,
      client: era === 'modern' ? modernClientOf(context) : undefined,
    }).catch((error: unknown) => {
      throw callFailure(error);
    });
  });
  if (servers.length > 0) forwardOffers(server, { era, servers, forward: viewed(catalogue.view, failing(forward)) });
  return server;
}

/** Only a list with upstream servers in it changes, and only a session hears of that. */
function toolsCapability({ steady }: Catalogue, era: Envelope['era']): { readonly listChanged?: true } {
  return !steady || era === 'modern' ? { listChanged: true } : {};
}

function failing(forward: Forward): Forward {
  return (...request) =>
    forward(...request).catch((error: unknown) => {
      throw error instanceof RemoteFailure ? error : callFailure(error); // a list goes on without it
    });
}

function refuseMismatch(tool: CatalogueTool, given: unknown, headers: Readonly<Record<string, string>>): void {
  const mismatch = findHeaderMismatch(tool.parameterHeaders, given, headers);
  if (mismatch !== undefined) throw new ProtocolError(ERROR_CATALOGUE.header_mismatch.jsonRpc, mismatch);
}

/** How a request's caller hears of its progress, where it asked for that. */
export function progressOf({ mcpReq }: ServerContext): ToolCall['onProgress'] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress) => {
    const params = { ...progress, progressToken };
    void mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined); // the caller has left
  };
}

/** How a failed call is answered: as a bundled server answered it; a fault of ours goes to the log and not to the caller. */
export function callFailure(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof StdioFailure || error instanceof RemoteFailure)
    return new ProtocolError(ERROR_CATALOGUE.internal.jsonRpc, error.message);
  process.stderr.write(`${JSON.stringify({ level: 'error', message: 'tool call failed', error: String(error) })}\n`);
  return new ProtocolError(ERROR_CATALOGUE.internal.jsonRpc, ERROR_CATALOGUE.internal.title);
}
