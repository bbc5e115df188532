import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from '#libs/telemetry';
import { ChildWorker } from './child-worker.js';
import { dyingWithParent } from './die-with-parent.js';
import { residentBytes } from './resident-memory.js';
import type { WorkerDriver, WorkerOptions, WorkerProcess } from './worker-driver.js';

/** The project's root as seen from the compiled file (`dist/apps/worker-runtime/src/isolation`). */
const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
const RUNNER = fileURLToPath(new URL('../runner/main.js', import.meta.url));
/**
 * A runner reads the platform's code; it writes nothing, starts no process and no thread. A compile cache would save
 * 20 ms of a start, but Node uses one only where it may write it, and a cache that one tenant's worker can write and
 * another's reads is a way across.
 */
const PERMISSIONS = [
  '--permission',
  ...['dist', 'node_modules', 'package.json'].map((name) => `--allow-fs-read=${path.join(ROOT, name)}`),
];

const MEMORY_CHECK_MS = 1_000;
/** What a worker may hold beside its JavaScript heap: the runtime itself, buffers, compiled code. */
const BESIDE_HEAP_BYTES = 256 * 1024 * 1024;

/**
 * Workers as plain child processes with a memory limit, an empty environment and Node's permission model. It keeps
 * honest code apart; it is no boundary against hostile native code, so it is for development and trusted machines.
 */
export class ProcessDriver implements WorkerDriver {
  readonly name = 'process';
  readonly #logger: Logger;
  readonly #home: string;
  readonly #command: readonly string[];
  readonly #workers = new Map<ChildWorker, number>();
  readonly #memoryWatch: NodeJS.Timeout;

  private constructor(logger: Logger, home: string, wrapper: readonly string[]) {
    this.#logger = logger;
    this.#home = home;
    this.#command = [...wrapper, process.execPath, ...PERMISSIONS];
    this.#memoryWatch = setInterval(() => this.#killOversized(), MEMORY_CHECK_MS).unref();
  }

  /** Makes the empty folder that workers run in; a folder that a crash left there is used again. */
  static async open(logger: Logger, home: string): Promise<ProcessDriver> {
    await mkdir(home, { recursive: true, mode: 0o700 });
    return new ProcessDriver(logger, home, await dyingWithParent());
  }

  start({ memoryMb }: WorkerOptions): WorkerProcess {
    const [program = process.execPath, ...flags] = this.#command;
    const child = spawn(program, [...flags, `--max-old-space-size=${memoryMb}`, RUNNER], {
      cwd: this.#home,
      env: { TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const worker = new ChildWorker(child, this.#logger, () => this.#workers.delete(worker));
    this.#workers.set(worker, memoryMb * 1024 * 1024 + BESIDE_HEAP_BYTES);
    return worker;
  }

  async close(): Promise<void> {
    clearInterval(this.#memoryWatch);
    for (const worker of this.#workers.keys()) worker.kill();
    await rm(this.#home, { recursive: true, force: true });
  }

  /** The heap limit does not bound buffers; what a process really holds does. */
  #killOversized(): void {
    for (const [worker, bytesMax] of this.#workers) {
      const bytes = worker.pid === undefined ? 0 : residentBytes(worker.pid);
      if (bytes <= bytesMax) continue;
      this.#logger.warn({ pid: worker.pid, bytes, bytesMax }, 'worker stopped: out of memory');
      worker.kill();
    }
  }
}
