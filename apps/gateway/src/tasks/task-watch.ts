import { BatchSweep } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import type { KeptTasks } from './kept-tasks.js';
import type { TaskServers } from './task-servers.js';
import type { KeptTask, TaskStore } from './task-store.js';

/** What looking after tasks stands on. */
export interface TaskWatchParts {
  readonly store: TaskStore;
  readonly tasks: KeptTasks;
  readonly servers: TaskServers;
  readonly logger: Logger;
}

const EVERY_MS = 1_000;
const AT_ONCE_MAX = 32;
const OF_TENANT_MAX = 4;
const SILENT_MS = 30_000;
const EXPIRED_EVERY_MS = 60_000;

/**
 * Asks the servers of running tasks how they are, so that a result is kept that nobody has come for yet, and so that the
 * worker of a task does not rest. Every gateway does; each task is looked at by one of them at a time.
 */
export class TaskWatch {
  readonly #sweep: BatchSweep;
  #running = 0;
  /** Looks that are under way, by tenant. */
  readonly #ofTenant = new Map<string, number>();
  #taking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: TaskWatchParts) {
    const { store, logger } = parts;
    this.#sweep = new BatchSweep({
      everyMs: EXPIRED_EVERY_MS,
      deleteBatch: (limit) => store.deleteExpired(limit),
      onSwept: (deleted) => logger.info({ deleted }, 'tasks deleted whose time is over'),
      onFailed: (error) => logger.warn({ cause: String(error) }, 'tasks could not be deleted'),
    });
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), EVERY_MS).unref();
    this.#sweep.start();
  }

  /** Looks at what is due, once. */
  async look(): Promise<void> {
    if (this.#taking || this.#running >= AT_ONCE_MAX) return;
    this.#taking = true;
    try {
      const busy = [...this.#ofTenant].filter(([, running]) => running >= OF_TENANT_MAX).map(([tenantId]) => tenantId);
      const due = await this.parts.store.takeDue(AT_ONCE_MAX - this.#running, busy);
      for (const task of due) void this.#lookAt(task);
    } catch (error) {
      this.parts.logger.warn({ cause: String(error) }, 'tasks could not be looked after');
    } finally {
      this.#taking = false;
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweep.stop();
  }

  async #lookAt(task: KeptTask): Promise<void> {
    const { tenantId } = task;
    this.#running += 1;
    this.#ofTenant.set(tenantId, (this.#ofTenant.get(tenantId) ?? 0) + 1);
    try {
      const message = await this.parts.servers.ask(task);
      const ended = message && (await this.parts.tasks.note(task, message));
      // A server that gives no answer is not asked as often as it wants.
      const afterMs = message === undefined ? Math.max(task.pollMs, SILENT_MS) : task.pollMs;
      if (ended === undefined) await this.parts.store.lookAgain(task, afterMs);
    } catch (error) {
      this.parts.logger.warn({ cause: String(error), tenant_id: tenantId }, 'a task could not be looked at');
    } finally {
      this.#running -= 1;
      const left = (this.#ofTenant.get(tenantId) ?? 1) - 1;
      if (left > 0) this.#ofTenant.set(tenantId, left);
      else this.#ofTenant.delete(tenantId);
    }
  }
}
