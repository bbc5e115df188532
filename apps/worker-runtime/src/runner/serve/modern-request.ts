import {
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type Notification,
  type Server,
  type Transport,
} from '@modelcontextprotocol/server';
import { serveStdio, type StdioServerHandle } from '@modelcontextprotocol/server/stdio';
import type { ErrorCode } from '#libs/errors';
import type { Exchange } from '../mcp-servers/exchange.js';
import { createServer, type ServerOptions } from '../mcp-servers/mcp-server.js';
import { outcomeOf } from './message.js';

/** JSON-RPC errors that MCP 2026-07-28 answers with an HTTP status of their own; the gateway renders those from the catalogue. */
const TRANSPORT_ERRORS: ReadonlyMap<number, ErrorCode> = new Map([
  [-32601, 'method_not_found'],
  [-32020, 'header_mismatch'],
]);

/** One request of the modern era: its own SDK server, its own transport, gone with the exchange. */
export class ModernRequest {
  readonly #exchange: Exchange;
  readonly #transport: Transport;
  readonly #onAnswer: (message: JSONRPCMessage) => void;
  #handle: StdioServerHandle | undefined;
  #server: Server | undefined;
  readonly #onOver: Array<() => void> = [];
  #over = false;

  constructor(exchange: Exchange, onAnswer: (message: JSONRPCMessage) => void) {
    this.#exchange = exchange;
    this.#onAnswer = onAnswer;
    this.#transport = { start: async () => {}, send: async (message) => this.#send(message), close: async () => {} };
  }

  /** Serves the request; its answer ends the exchange. */
  start(message: JSONRPCRequest, options: Omit<ServerOptions, 'era' | 'onUnknownTool'>): void {
    const onUnknownTool = () => this.#exchange.noteFault('unknown_tool');
    const factory = () => (this.#server = createServer({ ...options, onUnknownTool, era: 'modern' }));
    this.#handle = serveStdio(factory, { transport: this.#transport, legacy: 'reject' });
    this.#transport.onmessage?.(message);
  }

  /** Tells the client of a change, where this request listens to such changes. */
  notify(notification: Notification): void {
    void this.#server?.notification(notification).catch(() => undefined); // it has left
  }

  /** Has `hear` called when the request is over, however, also when it is by now. */
  onceOver(hear: () => void): void {
    if (this.#over) hear();
    else this.#onOver.push(hear);
  }

  /** The caller left: whatever runs is aborted. */
  cancel(): void {
    this.#exchange.done(undefined, 'cancelled');
    this.#end();
  }

  /** Ends the request with an error of the catalogue. */
  refuse(code: ErrorCode, message: string): void {
    this.#exchange.fail(code, message);
    this.#end();
  }

  #end(): void {
    this.#over = true;
    for (const hear of this.#onOver.splice(0)) hear();
    void this.#handle?.close();
  }

  #send(message: JSONRPCMessage): void {
    if (!isFinal(message)) {
      this.#exchange.part(message);
      return;
    }
    this.#onAnswer(message);
    const code = isJSONRPCErrorResponse(message) ? TRANSPORT_ERRORS.get(message.error.code) : undefined;
    if (code !== undefined && isJSONRPCErrorResponse(message)) this.#exchange.fail(code, message.error.message);
    else this.#exchange.done(message, outcomeOf(message));
    this.#end();
  }
}

function isFinal(message: JSONRPCMessage): boolean {
  return !isJSONRPCRequest(message) && 'id' in message;
}
