import { setTimeout as wait } from 'node:timers/promises';
import { ProtocolError, type ClientCapabilities, type Result } from '@modelcontextprotocol/client';
import { CLIENT_CAPABILITIES_META_KEY } from '@modelcontextprotocol/server';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { PeerRequest } from '../peer/peer.js';
import { MISSING_CAPABILITY } from '../peer/results.js';
import { errorResult } from '../results/results.js';
import type { PinnedSession } from '../upstream/pinned-session.js';
import { answeredIn } from '../upstream/upstream-failure.js';
import { NOBODY, type Asking } from '../upstream/upstream-fetch.js';

type Whose = Omit<Asking, 'kind'>;
type Members = Readonly<Record<string, unknown>>;

/** A request at an upstream of the 2026 era, and for whom. */
export interface TaskAsk {
  readonly session: PinnedSession;
  readonly whose: Whose;
  /** What the client of the call can do. */
  readonly capabilities: ClientCapabilities;
}

const TASKS = 'io.modelcontextprotocol/tasks';
const POLL_MS = { usual: 1_000, least: 100, most: 5_000 };
const LOOK_MS = 10_000;
const CANCEL_MS = 5_000;
const NAMES_MAX = 2_000;

/**
 * Calls tools of upstreams that run as tasks alone (MCP tasks extension): the task is begun, asked about and cancelled by
 * us within the call, and what comes of it is the call's result, for clients of both eras and whether they follow tasks
 * or not. No agent hears of the upstream's task, so none can ask about another's.
 *
 *     call ── refused: tasks are needed ──► call again, declaring them ──► task ── asked until it has ended ──► result
 */
export class UpstreamTasks {
  /** Tools that have asked for it. */
  readonly #needed = new Set<string>();

  /** Makes a request; `name` is that of a tool among all upstreams. @throws as PinnedSession.request */
  async request(name: string, request: PeerRequest, ask: TaskAsk): Promise<Result> {
    const plain = withTasks(request, ask, 'without');
    if (request.method !== 'tools/call') return ask.session.request(plain, ask.whose);
    if (!this.#needed.has(name)) {
      try {
        return await ask.session.request(plain, ask.whose);
      } catch (error) {
        if (!needsTasks(error)) throw error; // else nothing ran: it was refused for what we had not declared
      }
      if (this.#needed.size < NAMES_MAX) this.#needed.add(name);
    }
    const begun = await ask.session.request(withTasks(request, ask, 'with'), ask.whose);
    return begun['resultType'] === 'task' ? follow(begun, request, ask) : begun;
  }
}

/** Asks about a task until it has ended. @throws ProtocolError as it failed; what ends the call, when the task is cancelled */
async function follow(begun: Result, request: PeerRequest, ask: TaskAsk): Promise<Result> {
  const { signal, onProgress } = request;
  const taskId = String(begun['taskId']);
  let task: Members = begun;
  try {
    for (let progress = 1; !isOver(task); progress += 1) {
      await wait(pollMs(task['pollIntervalMs']), undefined, { signal });
      task = await ask.session.request(about('tasks/get', taskId, { request, ask, ms: LOOK_MS }), ask.whose);
      const message = task['statusMessage'];
      onProgress?.({ progress, ...(typeof message === 'string' ? { message: message.slice(0, 1_000) } : {}) });
    }
  } catch (error) {
    cancel(taskId, { request, ask });
    throw signal.aborted ? signal.reason : error;
  }
  if (task['status'] === 'input_required') cancel(taskId, { request, ask });
  return outcomeOf(task);
}

function isOver({ status }: Members): boolean {
  return status !== 'working';
}

/** @throws ProtocolError as the task failed */
function outcomeOf({ status, result, error }: Members): Result {
  if (status === 'completed' && typeof result === 'object' && result !== null) return result as Result; // the caller's SDK checks it
  if (status === 'failed') {
    const { code, message } = { ...(error as Members | undefined) };
    const own = typeof code === 'number' ? code : ERROR_CATALOGUE.internal.jsonRpc;
    throw new ProtocolError(own, typeof message === 'string' ? message : 'The task of the upstream has failed.');
  }
  if (status === 'input_required')
    return errorResult(
      'The upstream runs this as a task, which asks its client something on the way. That cannot be answered here, and the task was cancelled. It may have been carried out in part.',
    );
  return errorResult('The upstream has cancelled the task that this ran as. It may have been carried out in part.');
}

/** Tells the upstream that nobody waits any more; no exchange may be open by then. */
function cancel(taskId: string, { request, ask }: { readonly request: PeerRequest; readonly ask: TaskAsk }): void {
  const ending = { ...request, signal: AbortSignal.timeout(CANCEL_MS) };
  const asked = about('tasks/cancel', taskId, { request: ending, ask, ms: CANCEL_MS });
  const whose = { s: NOBODY, lastMs: Date.now() + CANCEL_MS };
  void ask.session.request(asked, whose).catch(() => undefined); // it ends by itself
}

interface About {
  readonly request: PeerRequest;
  readonly ask: TaskAsk;
  readonly ms: number;
}

function about(method: string, taskId: string, { request, ask, ms }: About): PeerRequest {
  const { trace, signal } = request;
  const times = { timeoutMs: ms, timeoutMaxMs: ms, signal, onProgress: undefined, trace };
  const named = { method, params: { taskId }, headers: { 'mcp-name': taskId }, needs: 'caller', ...times } as const;
  return withTasks({ ...named, envelope: request.envelope ?? {} }, ask, 'with');
}

/** A request that declares that its client follows tasks, or does not; what the agent itself declares is between it and us. */
function withTasks(request: PeerRequest, { capabilities }: TaskAsk, how: 'with' | 'without'): PeerRequest {
  const { [TASKS]: declared, ...others } = capabilities.extensions ?? {};
  if (how === 'without' && declared === undefined) return request;
  const extensions = how === 'with' ? { ...others, [TASKS]: {} } : others;
  const envelope = { ...request.envelope, [CLIENT_CAPABILITIES_META_KEY]: { ...capabilities, extensions } };
  return { ...request, envelope };
}

function needsTasks(error: unknown): boolean {
  const answered = answeredIn(error);
  if (answered?.code !== MISSING_CAPABILITY) return false;
  const data = answered.data as { readonly requiredCapabilities?: ClientCapabilities } | undefined; // any shape ends as false
  return Object.hasOwn({ ...data?.requiredCapabilities?.extensions }, TASKS);
}

function pollMs(value: unknown): number {
  const wanted = typeof value === 'number' && Number.isFinite(value) ? value : POLL_MS.usual;
  return Math.min(POLL_MS.most, Math.max(POLL_MS.least, wanted));
}
