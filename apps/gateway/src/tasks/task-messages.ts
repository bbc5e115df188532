import type { RequestId } from '../edge/exchange.js';

/** A task as its server tells of it (MCP tasks extension). */
export interface TaskTold {
  readonly taskId: string;
  readonly status: unknown;
  readonly createdAt: unknown;
  readonly ttlMs: unknown;
  readonly pollIntervalMs: unknown;
}

type Members = Readonly<Record<string, unknown>>;

/** The extension's name, in the capabilities of clients and servers. */
const TASKS = 'io.modelcontextprotocol/tasks';
const VERSION = '2026-07-28';
const CALLED = Buffer.from('"resultType":"task"');
const ENDED: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled']);
const UNKNOWN: ReadonlySet<unknown> = new Set([-32_602, -32_601]);
const ID_LENGTH_MAX = 512;

/** What an answer is, where it is about a task. */
export type TaskAnswer =
  | { readonly kind: 'told'; readonly task: TaskTold; readonly result: Members; readonly ended: boolean }
  | { readonly kind: 'unknown' };

/** The task that a call was answered with, where it was; only a message that speaks of tasks is parsed. */
export function taskBegunIn(message: Buffer): TaskTold | undefined {
  if (!message.includes(CALLED)) return undefined;
  const { result } = parse(message);
  return isTask(result) && result['resultType'] === 'task' ? result : undefined;
}

/** What a server answered to a question about a task; undefined for what says nothing of how it is. */
export function taskAnswerIn(message: Buffer): TaskAnswer | undefined {
  const { result, error } = parse(message);
  if (isTask(result)) return { kind: 'told', task: result, result, ended: ENDED.has(result.status) };
  return UNKNOWN.has(isObject(error) ? error['code'] : undefined) ? { kind: 'unknown' } : undefined;
}

/** The same for a message that was kept, as the answer to another request. */
export function answering(id: RequestId | undefined, result: string): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id ?? null)},"result":${result}}`);
}

/** An acknowledgement of what cannot matter any more. */
export const ACKNOWLEDGED = JSON.stringify({ resultType: 'complete' });

/** The error for a client that does not declare the extension (MCP 2026-07-28, basic, "Error codes"). */
export function missingExtension(id: RequestId | undefined): Buffer {
  const data = { requiredCapabilities: { extensions: { [TASKS]: {} } } };
  const message = 'This needs a client that declares the tasks extension.';
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error: { code: -32_021, message, data } }));
}

/** Whether a request's client declares the extension. */
export function declaresTasks(payload: Buffer): boolean {
  const { params } = parse(payload);
  const meta = isObject(params) ? params['_meta'] : undefined;
  const able = isObject(meta) ? meta['io.modelcontextprotocol/clientCapabilities'] : undefined;
  const extensions = isObject(able) ? able['extensions'] : undefined;
  return isObject(extensions) && Object.hasOwn(extensions, TASKS);
}

/** The platform's own question how a task is. */
export function lookMessage(taskId: string): Buffer {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientInfo': { name: 'wharf', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': { extensions: { [TASKS]: {} } },
  };
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { taskId, _meta } }));
}

/** How a task is told of that has failed in our hands. */
export function failedTask(taskId: string, createdAt: Date, message: string): string {
  return JSON.stringify({
    resultType: 'complete',
    taskId,
    status: 'failed',
    statusMessage: message,
    createdAt: createdAt.toISOString(),
    lastUpdatedAt: new Date().toISOString(),
    ttlMs: null,
    error: { code: -32_603, message },
  });
}

function isTask(value: unknown): value is TaskTold & Members {
  if (!isObject(value)) return false;
  const { taskId, status } = value;
  return typeof taskId === 'string' && taskId.length <= ID_LENGTH_MAX && typeof status === 'string';
}

function parse(message: Buffer): Members {
  try {
    const parsed: unknown = JSON.parse(message.toString('utf8'));
    return isObject(parsed) ? parsed : {};
  } catch {
    return {}; // says nothing
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
