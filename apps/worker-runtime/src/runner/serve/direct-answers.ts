import {
  LOG_LEVEL_META_KEY,
  type CallToolResult,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
} from '@modelcontextprotocol/server';
import type { Envelope } from '#libs/protocol';
import { plainClient } from '../peer/modern-client.js';
import { findHeaderMismatch } from '../tools/parameter-headers.js';
import type { Catalogue } from '../mcp-servers/catalogue.js';
import type { Exchange } from '../mcp-servers/exchange.js';
import { callFailure, type ToolCall } from '../mcp-servers/mcp-server.js';

/** Methods whose result is always the same in one release. */
type ConstantMethod = 'tools/list' | 'server/discover' | 'ping';

/** A request of the kind that agents send most, and nothing unusual about it. */
export interface PlainRequest {
  readonly id: JSONRPCRequest['id'];
  readonly method: ConstantMethod | 'tools/call';
  /** What else the SDK judges a request by: era or version, method, and the text of `_meta`. */
  readonly likeness: string;
  readonly name: string;
  readonly arguments: object | undefined;
  readonly meta: object | undefined;
}

/** What the SDK made of a request: the text of a constant result, or what it added to a tool's result. */
type Verdict = { readonly result: string } | { readonly added: Added };

/** Members of a tool's result that are the SDK's and not the tool's. */
interface Added {
  readonly members: object;
  readonly meta: object | undefined;
}

/** What a direct answer needs to run a tool. */
export interface DirectCall {
  readonly era: Envelope['era'];
  /** As for a server (`ServerOptions`). */
  readonly parameterHeaders: Readonly<Record<string, string>> | undefined;
  readonly runTool: (call: ToolCall) => Promise<CallToolResult>;
}

const MESSAGE_MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params']);
const CONSTANT_METHODS: ReadonlySet<unknown> = new Set<ConstantMethod>(['tools/list', 'server/discover', 'ping']);
const CONSTANT_MEMBERS = new Set(['_meta']);
const CALL_MEMBERS = new Set(['_meta', 'name', 'arguments']);
const META_LENGTH_MAX = 2_048;
const VERDICTS_MAX = 256;

/**
 * Answers plain requests without an SDK server. The first request of every kind goes to the SDK; one that is like it in
 * everything the SDK looks at is answered as the SDK would answer it. What is unusual, unknown or wrong always goes to
 * the SDK. Nothing is shared between requests but such verdicts, so that equal ids of different clients cannot meet.
 */
export class DirectAnswers {
  readonly #catalogue: Catalogue;
  readonly #verdicts = new Map<string, Verdict>();

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /** Remembers what the SDK answered to a plain request. */
  learn({ method, likeness }: PlainRequest, message: JSONRPCMessage): void {
    if (!('result' in message) || this.#verdicts.has(likeness) || !isComplete(message.result)) return;
    if (method === 'tools/list' && !this.#catalogue.steady) return; // it is another one for every caller
    if (this.#verdicts.size >= VERDICTS_MAX) this.#verdicts.clear();
    const verdict =
      method === 'tools/call' ? { added: addedBySdk(message.result) } : { result: JSON.stringify(message.result) };
    this.#verdicts.set(likeness, verdict);
  }

  /** Answers a request like one the SDK has answered; returns how to cancel it, or nothing where the SDK must answer. */
  answer(request: PlainRequest, exchange: Exchange, call: DirectCall): (() => void) | undefined {
    const verdict = this.#verdicts.get(request.likeness);
    if (verdict === undefined) return undefined;
    if ('added' in verdict) return this.#call(request, exchange, call, verdict.added);
    exchange.doneText(`{"result":${verdict.result},"jsonrpc":"2.0","id":${JSON.stringify(request.id)}}`, 'ok');
    return () => undefined;
  }

  #call(request: PlainRequest, exchange: Exchange, call: DirectCall, added: Added): (() => void) | undefined {
    const { id, meta: carried } = request;
    const tool = this.#catalogue.findTool(request.name);
    if (tool === undefined) return undefined;
    const { era, parameterHeaders, runTool } = call;
    const given = request.arguments ?? {};
    if (era === 'modern' && parameterHeaders !== undefined) {
      if (findHeaderMismatch(tool.parameterHeaders, given, parameterHeaders) !== undefined) return undefined;
    }
    const controller = new AbortController();
    const { signal } = controller;
    const client = era === 'modern' ? plainClient(request.meta) : undefined;
    runTool({
      tool,
      arguments: given,
      requestId: id,
      signal,
      onProgress: undefined,
      meta: { ...carried },
      client,
    }).then(
      (result) => {
        const outcome = result.isError === true ? 'tool_error' : 'ok';
        const meta = added.meta === undefined ? {} : { _meta: { ...result._meta, ...added.meta } };
        const { resultType } = result; // of a kind of its own, which stays what it is
        const kind = resultType === undefined ? {} : { resultType };
        exchange.done({ result: { ...result, ...added.members, ...kind, ...meta }, jsonrpc: '2.0', id }, outcome);
      },
      (error: unknown) => {
        const { code, message, data } = callFailure(error);
        exchange.done({ jsonrpc: '2.0', id, error: { code, message, data } }, 'protocol_error');
      },
    );
    return () => {
      exchange.done(undefined, 'cancelled');
      controller.abort();
    };
  }
}

/** A value as a plain request, where it is one. `dialect`: the era or version it is judged by. */
export function plainRequest(value: unknown, dialect: string): PlainRequest | undefined {
  if (!isObject(value) || !hasOnly(value, MESSAGE_MEMBERS) || value['jsonrpc'] !== '2.0') return undefined;
  const { id, method, params = {} } = value;
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return undefined;
  const named = method === 'tools/call';
  if ((!named && !CONSTANT_METHODS.has(method)) || !isObject(params)) return undefined;
  const { _meta, name, arguments: given } = params;
  if (!hasOnly(params, named ? CALL_MEMBERS : CONSTANT_MEMBERS) || (named && typeof name !== 'string'))
    return undefined;
  if (given !== undefined && (!isObject(given) || Object.hasOwn(given, '__proto__'))) return undefined;
  // A progress token is another one in every request, and who wants log messages needs a way for them.
  if (_meta !== undefined && (!isObject(_meta) || 'progressToken' in _meta || LOG_LEVEL_META_KEY in _meta))
    return undefined;
  const meta = JSON.stringify(_meta) ?? '';
  if (meta.length > META_LENGTH_MAX) return undefined;
  return {
    id: id as PlainRequest['id'], // the check above
    method: method as PlainRequest['method'], // the check above
    likeness: `${dialect} ${String(method)} ${params === value['params']} ${meta}`,
    name: named ? String(name) : '',
    arguments: given,
    meta: _meta,
  };
}

/** Whether a result is the usual one: what else a tool may answer is its own, and not the SDK's. */
function isComplete({ resultType = 'complete' }: JSONRPCResultResponse['result']): boolean {
  return resultType === 'complete';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasOnly(value: object, members: ReadonlySet<string>): boolean {
  for (const member of Object.keys(value)) if (!members.has(member)) return false;
  return true;
}

/** What the SDK adds to every result alike. All else is what a tool said to one caller, and is never learned. */
function addedBySdk({ resultType, _meta: meta }: JSONRPCResultResponse['result']): Added {
  const members = resultType === undefined ? {} : { resultType };
  if (meta === undefined) return { members, meta: undefined };
  const own = Object.entries(meta).filter(([name]) => name.startsWith('io.modelcontextprotocol/'));
  return { members, meta: own.length === 0 ? undefined : Object.fromEntries(own) };
}
