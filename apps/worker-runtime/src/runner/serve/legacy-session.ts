import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  type CallToolResult,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
  type Server,
  type Transport,
  type TransportSendOptions,
} from '@modelcontextprotocol/server';
import { AppError } from '#libs/errors';
import type { Catalogue } from '../mcp-servers/catalogue.js';
import { plainRequest, type DirectAnswers, type PlainRequest } from './direct-answers.js';
import type { Exchange } from '../mcp-servers/exchange.js';
import type { Forward } from '../forwarding/forwarding.js';
import type { CallerLink } from '../peer/caller-link.js';
import { createServer, type ListTools, type ToolCall } from '../mcp-servers/mcp-server.js';
import { RunningRequests } from './running-requests.js';
import { SessionLink } from './session-link.js';
import { outcomeOf, readInbound } from './message.js';

/** The one revision with batches. */
const BATCHING_VERSION = '2025-03-26';

/** What a session needs from its worker. */
export interface SessionOptions {
  readonly catalogue: Catalogue;
  readonly direct: DirectAnswers;
  readonly runTool: (call: ToolCall, exchange: Exchange) => Promise<CallToolResult>;
  readonly forward: (exchange: Exchange, ...request: Parameters<Forward>) => ReturnType<Forward>;
  readonly listTools: (exchange: Exchange, context: Parameters<ListTools>[0]) => ReturnType<ListTools>;
  /** Hears that the client's roots have changed. */
  readonly onRootsChanged: () => void;
}

/** One session of the 2025 era: one SDK server and one transport for its whole life. */
export class LegacySession {
  readonly #server: Server;
  readonly #transport: Transport;
  readonly #options: SessionOptions;
  readonly #running = new RunningRequests();
  /** The version that was agreed on. */
  #version: string | undefined;
  #stream: Exchange | undefined;
  /** How third-party servers reach its client. */
  readonly link: CallerLink;
  /** When it was last used, epoch milliseconds. */
  usedAtMs = Date.now();

  private constructor(options: SessionOptions) {
    this.#options = options;
    const { catalogue, runTool, forward, listTools, onRootsChanged } = options;
    this.#transport = {
      start: async () => {},
      send: async (message, options) => this.#send(message, options),
      close: async () => {},
    };
    this.#server = createServer({
      catalogue,
      era: 'legacy',
      runTool: (call) => runTool(call, this.#getExchange(call.requestId)),
      onUnknownTool: (requestId) => this.#running.find(requestId)?.exchange.noteFault('unknown_tool'),
      listTools: (context) => listTools(this.#getExchange(context.mcpReq.id), context),
      forward: (server, request, context) => forward(this.#getExchange(context.mcpReq.id), server, request, context),
    });
    if (catalogue.hosted.length > 0)
      this.#server.setNotificationHandler('notifications/roots/list_changed', onRootsChanged);
    this.link = new SessionLink(this.#server, () => ({
      latest: this.#running.latest?.id,
      listening: this.#stream !== undefined,
    }));
  }

  /** A session whose first message (`initialize`) can be delivered. */
  static async open(options: SessionOptions): Promise<LegacySession> {
    const session = new LegacySession(options);
    await session.#server.connect(session.#transport);
    return session;
  }

  /** Whether nothing runs and nobody listens. */
  get idle(): boolean {
    return this.#running.size === 0 && this.#stream === undefined;
  }

  /**
   * Takes a POSTed message. A request ends its exchange with the answer, anything else is only accepted.
   * @throws AppError invalid_request
   */
  deliver(exchange: Exchange, value: unknown): void {
    this.usedAtMs = Date.now();
    const plain = this.#version === undefined ? undefined : plainRequest(value, this.#version);
    if (plain !== undefined && this.#answerDirectly(exchange, plain)) return;
    const inbound = readInbound(value);
    if (inbound.kind === 'request') this.#deliverRequest(exchange, inbound.message, plain);
    else {
      this.#transport.onmessage?.(inbound.message);
      exchange.done(undefined, 'ok');
      this.#endCancelled(inbound.message);
    }
  }

  /** Takes a message of a batch, where the version that was agreed on has batches. @throws AppError invalid_request */
  deliverBatched(exchange: Exchange, value: unknown): void {
    if (this.#version === BATCHING_VERSION) return this.deliver(exchange, value);
    throw new AppError('invalid_request', {
      message: `Send one JSON-RPC message at a time: this session is of protocol version ${this.#version ?? 'none yet'}, and only ${BATCHING_VERSION} has batches.`,
    });
  }

  /** Makes an exchange the session's GET stream; a stream that was open before ends. */
  listen(exchange: Exchange): void {
    this.usedAtMs = Date.now();
    this.#stream?.done(undefined, 'ok');
    this.#stream = exchange;
  }

  /** The caller of an exchange left: its request is aborted. */
  cancel(exchange: Exchange): void {
    if (this.#stream === exchange) this.#stream = undefined;
    for (const { id, stop } of this.#running.findOf(exchange)) {
      if (stop === undefined) this.#transport.onmessage?.(cancelled(id));
      stop?.();
      this.#running.take(id);
    }
    exchange.done(undefined, 'cancelled');
  }

  /** Ends the session: aborts what runs and closes its stream. */
  async close(): Promise<void> {
    this.#stream?.done(undefined, 'ok');
    this.#stream = undefined;
    for (const { exchange, stop } of this.#running.takeAll()) {
      exchange.done(undefined, 'cancelled');
      stop?.();
    }
    await this.#server.close();
  }

  #getExchange(requestId: RequestId): Exchange {
    const running = this.#running.find(requestId);
    if (running === undefined) throw new AppError('session_not_found');
    return running.exchange;
  }

  #answerDirectly(exchange: Exchange, plain: PlainRequest): boolean {
    const { direct, runTool } = this.#options;
    if (this.#running.find(plain.id) !== undefined) return false;
    const stop = direct.answer(plain, exchange, {
      era: 'legacy',
      parameterHeaders: {},
      runTool: (call) => runTool(call, exchange).finally(() => this.#ended(plain.id, exchange)),
    });
    if (stop !== undefined && !exchange.ended) this.#running.add({ id: plain.id, exchange, stop });
    return stop !== undefined;
  }

  #ended(requestId: RequestId, exchange: Exchange): void {
    if (this.#running.find(requestId)?.exchange === exchange) this.#running.take(requestId);
  }

  #deliverRequest(exchange: Exchange, request: JSONRPCRequest, plain: PlainRequest | undefined): void {
    if (this.#running.find(request.id) !== undefined) {
      exchange.fail(
        'invalid_request',
        `A request with the id ${JSON.stringify(request.id).slice(0, 64)} is already running in this session. Use a new id.`,
      );
      return;
    }
    this.#running.add({ id: request.id, exchange, plain });
    this.#transport.onmessage?.(request);
  }

  /** A cancelled request is never answered, so its exchange ends here (MCP 2025-11-25, cancellation). */
  #endCancelled(message: JSONRPCMessage): void {
    if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return;
    const requestId = message.params?.['requestId'];
    if (typeof requestId !== 'string' && typeof requestId !== 'number') return;
    const running = this.#running.take(requestId);
    running?.exchange.done(undefined, 'cancelled');
    running?.stop?.();
  }

  #send(message: JSONRPCMessage, options?: TransportSendOptions): void {
    if (isJSONRPCRequest(message) || isJSONRPCNotification(message)) {
      const related = options?.relatedRequestId;
      (related === undefined ? this.#stream : this.#running.find(related)?.exchange)?.part(message);
      return;
    }
    if (message.id === undefined) return;
    const running = this.#running.take(message.id);
    if (running?.plain !== undefined) this.#options.direct.learn(running.plain, message);
    this.#version ??= versionIn(message);
    running?.exchange.done(message, outcomeOf(message));
  }
}

/** The version that an answer to `initialize` agrees on; nothing before it is answered with one. */
function versionIn(message: JSONRPCMessage): string | undefined {
  const version = 'result' in message ? message.result['protocolVersion'] : undefined;
  return typeof version === 'string' ? version : undefined;
}

function cancelled(requestId: RequestId): JSONRPCMessage {
  return { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason: 'The client left.' } };
}
