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
import type { Catalogue } from './catalogue.js';
import type { Exchange } from './exchange.js';
import { createServer, type ToolCall } from './mcp-server.js';
import { outcomeOf, type InboundMessage } from './message.js';

/** What a session needs from its worker. */
export interface SessionOptions {
  readonly catalogue: Catalogue;
  readonly runTool: (call: ToolCall, exchange: Exchange) => Promise<CallToolResult>;
}

/** One session of the 2025 era: one SDK server and one transport for its whole life. */
export class LegacySession {
  readonly #server: Server;
  readonly #transport: Transport;
  readonly #running = new Map<RequestId, Exchange>();
  #stream: Exchange | undefined;
  /** When it was last used, epoch milliseconds. */
  usedAtMs = Date.now();

  private constructor({ catalogue, runTool }: SessionOptions) {
    this.#transport = {
      start: async () => {},
      send: async (message, options) => this.#send(message, options),
      close: async () => {},
    };
    this.#server = createServer({
      catalogue,
      era: 'legacy',
      runTool: (call) => runTool(call, this.#getExchange(call.requestId)),
    });
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

  /** Hands a POSTed message to the server. A request ends its exchange with the answer, anything else is only accepted. */
  deliver(exchange: Exchange, inbound: InboundMessage): void {
    this.usedAtMs = Date.now();
    if (inbound.kind === 'request') this.#deliverRequest(exchange, inbound.message);
    else {
      this.#transport.onmessage?.(inbound.message);
      exchange.done(undefined, 'ok');
      this.#endCancelled(inbound.message);
    }
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
    for (const [requestId, running] of this.#running) {
      if (running === exchange) this.#transport.onmessage?.(cancelled(requestId));
      if (running === exchange) this.#running.delete(requestId);
    }
    exchange.done(undefined, 'cancelled');
  }

  /** Ends the session: aborts what runs and closes its stream. */
  async close(): Promise<void> {
    this.#stream?.done(undefined, 'ok');
    this.#stream = undefined;
    for (const exchange of this.#running.values()) exchange.done(undefined, 'cancelled');
    this.#running.clear();
    await this.#server.close();
  }

  #getExchange(requestId: RequestId): Exchange {
    const exchange = this.#running.get(requestId);
    if (exchange === undefined) throw new AppError('session_not_found');
    return exchange;
  }

  #deliverRequest(exchange: Exchange, request: JSONRPCRequest): void {
    if (this.#running.has(request.id)) {
      exchange.fail(
        'invalid_request',
        `A request with the id ${JSON.stringify(request.id).slice(0, 64)} is already running in this session. Use a new id.`,
      );
      return;
    }
    this.#running.set(request.id, exchange);
    this.#transport.onmessage?.(request);
  }

  /** A cancelled request is never answered, so its exchange ends here (MCP 2025-11-25, cancellation). */
  #endCancelled(message: JSONRPCMessage): void {
    if (!isJSONRPCNotification(message) || message.method !== 'notifications/cancelled') return;
    const requestId = message.params?.['requestId'];
    if (typeof requestId !== 'string' && typeof requestId !== 'number') return;
    this.#running.get(requestId)?.done(undefined, 'cancelled');
    this.#running.delete(requestId);
  }

  #send(message: JSONRPCMessage, options?: TransportSendOptions): void {
    if (isJSONRPCRequest(message) || isJSONRPCNotification(message)) {
      const related = options?.relatedRequestId;
      (related === undefined ? this.#stream : this.#running.get(related))?.part(message);
      return;
    }
    if (message.id === undefined) return;
    const exchange = this.#running.get(message.id);
    this.#running.delete(message.id);
    exchange?.done(message, outcomeOf(message));
  }
}

function cancelled(requestId: RequestId): JSONRPCMessage {
  return { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason: 'The client left.' } };
}
