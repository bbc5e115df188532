import { ProtocolError, type InputRequests, type McpServer } from '@modelcontextprotocol/server';
import { randomUUID } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { z } from 'zod';
import { capabilitiesOf, type Answers } from './ask.js';
import type { ToolRun } from './tool.js';

/** The extension's id. */
export const TASKS = 'io.modelcontextprotocol/tasks';
const TTL_MS = 300_000;
const POLL_MS = 200;
const MISSING_CAPABILITY = -32_021;
const INVALID_PARAMS = -32_602;

type Status = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

interface Task {
  readonly id: string;
  readonly createdAt: string;
  readonly stop: AbortController;
  updatedAt: string;
  status: Status;
  outcome: object;
  questions: InputRequests;
  readonly answers: Record<string, unknown>;
  onAnswers: (() => void) | undefined;
}

/** What a task's work may use. */
export interface TaskRun {
  readonly signal: AbortSignal;
  readonly ask: (questions: InputRequests) => Promise<Answers>;
}

const tasks = new Map<string, Task>();

/** Whether a request's client can follow tasks. */
export function followsTasks({ mcp, context }: ToolRun): boolean {
  return capabilitiesOf(mcp, context).extensions?.[TASKS] !== undefined;
}

/** Refuses a client that cannot follow tasks. @throws ProtocolError */
export function requireTasks(able: boolean): void {
  if (able) return;
  const requiredCapabilities = { extensions: { [TASKS]: {} } };
  throw new ProtocolError(MISSING_CAPABILITY, 'This needs a client that follows tasks.', { requiredCapabilities });
}

/** Starts work as a task and returns what the call is answered with. */
export function startTask(work: (run: TaskRun) => Promise<object>): object {
  const now = new Date().toISOString();
  const task: Task = {
    id: randomUUID(),
    createdAt: now,
    updatedAt: now,
    stop: new AbortController(),
    status: 'working',
    outcome: {},
    questions: {},
    answers: {},
    onAnswers: undefined,
  };
  tasks.set(task.id, task);
  const { signal } = task.stop;
  void work({ signal, ask: (questions) => ask(task, questions) }).then(
    (result) => settle(task, 'completed', { result }),
    (error: unknown) => settle(task, 'failed', { error: { code: -32_603, message: String(error) } }),
  );
  return { resultType: 'task', ...shown(task) };
}

/** Waits, or ends early with an error. */
export async function work(seconds: number, signal?: AbortSignal): Promise<void> {
  await after(seconds * 1_000, undefined, signal === undefined ? {} : { signal });
}

/** Has a server answer the extension's requests. */
export function registerTasks(mcp: McpServer): void {
  const named = z.looseObject({ taskId: z.string() });
  const result = z.looseObject({});
  const answer = (method: string, params: typeof named, run: (task: Task, given: Answers) => object): void => {
    mcp.server.setRequestHandler(method, { params, result }, (given, context) => {
      requireTasks(capabilitiesOf(mcp, context).extensions?.[TASKS] !== undefined);
      const { inputResponses = {} } = { ...given, ...context.mcpReq };
      return { ...run(getTask(given.taskId), inputResponses as Answers) }; // checked by their reader
    });
  };
  answer('tasks/get', named, (task) => ({ ...shown(task), ...detailOf(task) }));
  answer('tasks/cancel', named, (task) => {
    if (task.status === 'working' || task.status === 'input_required') settle(task, 'cancelled', {});
    task.stop.abort();
    return {};
  });
  answer('tasks/update', named, (task, answers) => {
    for (const [key, value] of Object.entries(answers)) if (key in task.questions) task.answers[key] = value;
    task.onAnswers?.();
    return {};
  });
}

function getTask(id: string): Task {
  const task = tasks.get(id);
  if (task === undefined) throw new ProtocolError(INVALID_PARAMS, 'There is no such task.');
  return task;
}

function shown({ id, status, createdAt, updatedAt }: Task): object {
  return { taskId: id, status, createdAt, lastUpdatedAt: updatedAt, ttlMs: TTL_MS, pollIntervalMs: POLL_MS };
}

function detailOf(task: Task): object {
  if (task.status !== 'input_required') return task.outcome;
  const open = Object.entries(task.questions).filter(([key]) => !(key in task.answers));
  return { inputRequests: Object.fromEntries(open) };
}

function change(task: Task, status: Status): void {
  task.status = status;
  task.updatedAt = new Date().toISOString();
}

function settle(task: Task, status: Status, outcome: object): void {
  if (task.status === 'cancelled') return;
  task.outcome = outcome;
  change(task, status);
}

function ask(task: Task, questions: InputRequests): Promise<Answers> {
  task.questions = questions;
  change(task, 'input_required');
  return new Promise((resolve) => {
    task.onAnswers = () => {
      if (!Object.keys(questions).every((key) => key in task.answers)) return;
      change(task, 'working');
      resolve(task.answers);
    };
  });
}
