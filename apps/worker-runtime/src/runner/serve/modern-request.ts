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
import type { Exchange } from './exchange.js';
import { createServer, type ServerOptions } from './mcp-server.js';
import { outcomeOf } from './message.js';

/** JSON-RPC errors that MCP 2026-07-28 answers with an HTTP status of their own; the gateway renders those from the catalogue. */
const TRANSPORT_ERRORS: ReadonlyMap<number, ErrorCode> = new Map([
  [-32601, 'method_not_found'],
  [-32020, 'header_mismatch'],
]);

const WATCHED_MAX = 256;

/** One request of the modern era: its own SDK server, its own transport, gone with the exchange. */
export class ModernRequest {
  readonly #exchange: Exchange;
  readonly #transport: Transport;
  readonly #onAnswer: (message: JSONRPCMessage) => void;
  #handle: StdioServerHandle | undefined;
  #server: Server | undefined;
  #onOver: (() => void) | undefined;

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

  /** Has `hear` called when the request is over, however. */
  onceOver(hear: () => void): void {
    this.#onOver = hear;
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
    this.#onOver?.();
    this.#onOver = undefined;
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

/** The resources that a request to listen names. */
export function watchedUris(params: JSONRPCRequest['params']): ReadonlySet<string> {
  const filter = params?.['notifications'] as { resourceSubscriptions?: unknown } | null | undefined; // any shape ends as none
  const uris: unknown = filter?.resourceSubscriptions;
  const named = Array.isArray(uris) ? uris.filter((uri): uri is string => typeof uri === 'string') : [];
  return new Set(named.slice(0, WATCHED_MAX));
}

function isFinal(message: JSONRPCMessage): boolean {
  return !isJSONRPCRequest(message) && 'id' in message;
}
