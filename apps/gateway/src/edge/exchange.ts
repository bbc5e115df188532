import { RUN_TOOL, type Envelope } from '#libs/protocol';

/** Id of a JSON-RPC request. */
export type RequestId = string | number;

/** What the gateway knows of one MCP message without looking into its payload. */
export interface MessageHead {
  readonly kind: 'request' | 'notification' | 'response';
  /** Requests only. */
  readonly id?: RequestId;
  /** Requests and notifications. */
  readonly method?: string;
  /** What a request names: a tool, a prompt or a resource. */
  readonly subject?: string;
  /** The tool that a call of search mode's `run_tool` is to run. */
  readonly runs?: string;
  /** W3C `traceparent` that the message itself carries. */
  readonly traceparent?: string;
  /** Family of the client that sent it, where the message tells. */
  readonly client?: string;
  /** SHA-256 of the arguments' JSON, `sha256:{hex}`: tells calls with the same arguments from others, without them. */
  readonly argumentsDigest?: string;
}

/** What a request asks of the platform, in one of the protocol's two eras. */
export interface Exchange {
  readonly era: Envelope['era'];
  readonly operation: Envelope['operation'];
  /** Undefined for `listen` and `close`. */
  readonly head?: MessageHead;
  /** The MCP message, untouched. */
  readonly payload: Buffer;
  /** Arguments of the tool that it calls, where its tenant has rules that may ask about them. */
  readonly given?: unknown;
  /** 2025 era: the session it names. */
  readonly sessionId?: string;
  /** 2025 era: it came in a batch. */
  readonly batched?: true;
  /** 2025 era, `listen`: the event after which a lost stream goes on. */
  readonly lastEventId?: string;
  /** 2026 era: the `Mcp-Param-*` headers, lower-case names. */
  readonly parameterHeaders?: Readonly<Record<string, string>>;
}

const NAMING_FIELD: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** The member of `params` that a method's `Mcp-Name` header repeats (MCP 2026-07-28, transports, "Standard headers"). */
export function namingField(method: string): string | undefined {
  return Object.hasOwn(NAMING_FIELD, method) ? NAMING_FIELD[method] : undefined;
}

/** What a request names, undefined where it names nothing or not with text. */
export function subjectOf(method: string, params: unknown): string | undefined {
  const field = namingField(method);
  if (field === undefined || typeof params !== 'object' || params === null) return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(params, field)?.value;
  return typeof value === 'string' ? value : undefined;
}

/** The tool that `run_tool` is to run, by its arguments; undefined for every other request. */
export function runBy(subject: string | undefined, params: unknown): string | undefined {
  if (subject !== RUN_TOOL) return undefined;
  const name = ownMember(ownMember(params, 'arguments'), 'name');
  return typeof name === 'string' ? name : undefined;
}

/** The same exchange with the arguments that its message gives its tool, or `run_tool` the one that it runs. */
export function withArguments(exchange: Exchange, message: unknown): Exchange {
  const { head } = exchange;
  if (head?.method !== 'tools/call') return exchange;
  const given = ownMember(ownMember(message, 'params'), 'arguments');
  return { ...exchange, given };
}

/** A call of `run_tool` as one of the tool that it runs: who may, how it counts and what is recorded of it is that tool's. */
export function aimed(exchange: Exchange): Exchange {
  const { head } = exchange;
  if (head?.runs === undefined) return exchange;
  const { runs: subject, ...rest } = head;
  const { given } = exchange;
  const inner = given === undefined ? {} : { given: ownMember(given, 'arguments') };
  return { ...exchange, ...inner, head: { ...rest, subject } };
}

function ownMember(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
