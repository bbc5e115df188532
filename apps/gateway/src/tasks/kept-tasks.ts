import { AppError } from '#libs/errors';
import { allowsTool, type Principal } from '#libs/identity';
import type { Envelope, RouteBinding } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import type { Ending } from '../dispatch/run-call.js';
import type { LiveServer } from '../routing/tenants.repository.js';
import type { PlacedCall } from '../sessions/place.js';
import {
  ACKNOWLEDGED,
  answering,
  declaresTasks,
  failedTask,
  missingExtension,
  taskAnswerIn,
  taskBegunIn,
} from './task-messages.js';
import type { TaskServers } from './task-servers.js';
import type { KeptTask, TaskStore, TaskTool } from './task-store.js';

/** What is known of the task that a call asks about: what came of it, or where it runs. */
export type Recalled =
  | { readonly kind: 'ended'; readonly ending: Ending }
  | { readonly kind: 'running'; readonly task: KeptTask; readonly route: RouteBinding };

const TTL_MS = 3_600_000;
const TTL_MS_MAX = 24 * TTL_MS;
const POLL_MS = { usual: 5_000, least: 1_000, most: 30_000 };
const ANSWER_BYTES_MAX = 1_048_576;
const METHODS = new Set(['tasks/get', 'tasks/update', 'tasks/cancel']);
const TOO_MANY =
  'Too many tasks are kept for this server. The task that was begun is not: wait for others to end before you call again.';
/** What is told of a task whose server does not know it any more. */
export const LOST =
  'The worker that ran this task has ended, and the task with it. It may have been carried out in part: check before you call the tool again.';
const TOO_LARGE = `The result of this task is larger than ${ANSWER_BYTES_MAX} bytes, and so it was not kept.`;

/**
 * Tasks of calls (MCP tasks extension), kept by the platform: a task is in PostgreSQL before its client hears of it, is
 * asked about where it began, and what came of it stays until its time is over, whatever becomes of its worker.
 *
 *     running ── its server tells of the end ──────► ended     until its time is over
 *     running ── its server does not know it ──────► ended, as failed
 */
export class KeptTasks {
  constructor(
    private readonly store: TaskStore,
    private readonly servers: TaskServers,
    private readonly logger: Logger,
  ) {}

  /** The task that a call asks about, where its principal has it and the call's URL serves its server. @throws AppError unavailable */
  async recall({ tenant, principal, principalBinding, exchange, route }: PlacedCall): Promise<Recalled | undefined> {
    const { head, payload, era } = exchange;
    if (era !== 'modern' || head?.subject === undefined || !METHODS.has(head.method ?? '')) return undefined;
    const named = { tenantId: tenant.tenantId, principal: principalBinding, taskId: head.subject };
    const task = await this.store.find(
      named,
      route.mounts.map(({ serverSlug }) => serverSlug),
    );
    // What came of a call is for whoever might make it now.
    if (task === undefined || !mayCall(tenant.servers, principal, task.tool)) return undefined;
    if (task.answer === undefined) return { kind: 'running', task, route: task.route };
    if (!declaresTasks(payload)) return { kind: 'ended', ending: done(missingExtension(head.id), 'protocol_error') };
    const result = head.method === 'tasks/get' ? task.answer : ACKNOWLEDGED;
    return { kind: 'ended', ending: done(answering(head.id, result), 'ok') };
  }

  /** Keeps what an answer tells of a task; returns the answer, or what takes its place. */
  async keep(call: PlacedCall, { route }: Envelope, recalled: Recalled | undefined, ending: Ending): Promise<Ending> {
    const { head, era } = call.exchange;
    if (era !== 'modern' || ending.kind !== 'done') return ending;
    try {
      if (head?.method === 'tools/call') return await this.#begin(call, route, ending);
      if (recalled?.kind !== 'running' || head?.method !== 'tasks/get') return ending;
      const answer = await this.#noteAsked(recalled.task, ending.message);
      return answer === undefined ? ending : done(answering(head.id, answer), 'ok');
    } catch (error) {
      this.logger.warn({ cause: String(error), tenant_id: call.tenant.tenantId }, 'a task could not be kept');
      const { message } = new AppError('unavailable');
      return { kind: 'failed', failure: { code: 'unavailable', message }, outcome: 'worker_failed' };
    }
  }

  /** Notes what a task's server said of it; returns the JSON of its end, where this was it. */
  async note(task: KeptTask, message: Buffer): Promise<string | undefined> {
    const told = taskAnswerIn(message);
    if (told === undefined || (told.kind === 'told' && !told.ended)) return undefined;
    const { taskId, createdAt } = task;
    if (told.kind === 'unknown') {
      const failed = failedTask(taskId, createdAt, LOST);
      await this.store.finish(task, failed);
      return failed;
    }
    const answer = JSON.stringify(told.result);
    const fits = Buffer.byteLength(answer) <= ANSWER_BYTES_MAX;
    await this.store.finish(task, fits ? answer : failedTask(taskId, createdAt, TOO_LARGE));
    return answer;
  }

  /** A request that is at fault is answered like one about an unknown task, so the platform asks for itself. */
  async #noteAsked(task: KeptTask, message: Buffer): Promise<string | undefined> {
    const told = taskAnswerIn(message);
    if (told?.kind !== 'unknown') return this.note(task, message);
    const again = await this.servers.ask(task);
    return again && this.note(task, again);
  }

  async #begin(
    call: PlacedCall,
    { mounts, view }: RouteBinding,
    ending: Extract<Ending, { kind: 'done' }>,
  ): Promise<Ending> {
    const begun = taskBegunIn(ending.message);
    if (begun === undefined) return ending;
    const { taskId, ttlMs, pollIntervalMs } = begun;
    const { tool } = call;
    if (tool === undefined)
      throw new AppError('internal', { detail: { reason: 'a task of a tool that is not there' } });
    const added = await this.store.add({
      tenantId: call.tenant.tenantId,
      principal: call.principalBinding,
      taskId,
      tenantSlug: call.target.tenantSlug,
      tool,
      mounts,
      view,
      pollMs: within(pollIntervalMs, POLL_MS),
      ttlMs: within(ttlMs, { usual: TTL_MS, least: 1_000, most: TTL_MS_MAX }),
    });
    if (added) return ending;
    return { kind: 'failed', failure: { code: 'unavailable', message: TOO_MANY }, outcome: 'refused' };
  }
}

function done(message: Buffer, outcome: 'ok' | 'protocol_error'): Ending {
  return { kind: 'done', message, outcome, upstreamMs: undefined };
}

function within(value: unknown, { usual, least, most }: typeof POLL_MS): number {
  const wanted = typeof value === 'number' && Number.isFinite(value) ? Math.round(value) : usual;
  return Math.min(most, Math.max(least, wanted));
}

/** Whether a principal may call a tool now, as `ToolScopes` judges it. */
function mayCall(servers: readonly LiveServer[], { scopes }: Principal, tool: TaskTool): boolean {
  const server = servers.find(({ slug }) => slug === tool.serverSlug);
  if (server === undefined || (tool.access === 'write' && !server.writes)) return false;
  return allowsTool(scopes, server, tool);
}
