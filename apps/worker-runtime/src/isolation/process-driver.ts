import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '#libs/telemetry';
import { ChildWorker } from './child-worker.js';
import { dyingWithParent } from './die-with-parent.js';
import { PROJECT_ROOT, RUNNER_FOLDER } from './project-root.js';
import { ProcessTable } from './process-table.js';
import { TreeWatch } from './tree-watch.js';
import type { WorkerDriver, WorkerOptions, WorkerProcess } from './worker-driver.js';
import { bundleFlags, heapMb, memoryBytes, RUNNER_V8_FLAGS } from './worker-limits.js';

const RUNNER = path.join(PROJECT_ROOT, RUNNER_FOLDER, 'main.js');
/**
 * A runner reads the platform's code; it writes nothing, starts no process and no thread. A compile cache would save
 * 20 ms of a start, but Node uses one only where it may write it, and a cache that one tenant's worker can write and
 * another's reads is a way across.
 */
const PERMISSIONS = [
  '--permission',
  // Where a folder is a link, Node asks for both names.
  ...['dist', 'node_modules', 'package.json']
    .map((name) => path.join(PROJECT_ROOT, name))
    .flatMap((file) => [...new Set([file, realpathSync(file)])])
    .map((file) => `--allow-fs-read=${file}`),
];

/**
 * Workers as plain child processes with a memory limit, an empty environment and Node's permission model. It keeps
 * honest code apart; it is no boundary against hostile native code, so it is for development and trusted machines.
 */
export class ProcessDriver implements WorkerDriver {
  readonly name = 'process';
  readonly #logger: Logger;
  readonly #home: string;
  readonly #command: readonly string[];
  readonly #workers = new Set<ChildWorker>();
  readonly #watch: TreeWatch;

  private constructor(logger: Logger, home: string, wrapper: readonly string[]) {
    this.#logger = logger;
    this.#home = home;
    this.#command = [...wrapper, process.execPath, ...RUNNER_V8_FLAGS, ...PERMISSIONS];
    this.#watch = new TreeWatch(logger);
  }

  /** Makes the empty folder that workers run in; a folder that a crash left there is used again. */
  static async open(logger: Logger, home: string): Promise<ProcessDriver> {
    await mkdir(home, { recursive: true, mode: 0o700 });
    return new ProcessDriver(logger, home, await dyingWithParent());
  }

  start({ memoryMb, bundles }: WorkerOptions): WorkerProcess {
    const [program = process.execPath, ...flags] = this.#command;
    const own = bundles === true ? realpathSync(mkdtempSync(path.join(this.#home, 'bundles-'))) : undefined;
    const granted = own === undefined ? [] : bundleFlags(own);
    const child = spawn(program, [...flags, ...granted, `--max-old-space-size=${heapMb(memoryMb)}`, RUNNER], {
      cwd: own ?? this.#home,
      env: { TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const forget = (): void => {
      this.#workers.delete(worker);
      this.#watch.forget(worker);
      if (own !== undefined) void rm(own, { recursive: true, force: true });
    };
    const worker = new ChildWorker(child, this.#logger, forget, () => endTree(child));
    this.#workers.add(worker);
    this.#watch.add(worker, { bytesMax: memoryBytes(memoryMb) });
    return worker;
  }

  async close(): Promise<void> {
    this.#watch.stop();
    for (const worker of this.#workers) worker.kill();
    await rm(this.#home, { recursive: true, force: true });
  }
}

/** Ends a worker with the servers it started. */
function endTree(child: ChildProcess): void {
  const tree = child.pid === undefined ? [] : new ProcessTable().treeOf(child.pid);
  child.kill('SIGKILL');
  for (const pid of tree.slice(1)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it had just ended
    }
  }
}
