import { mkdtempSync, realpathSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '#libs/telemetry';
import { ChildWorker } from './child-worker.js';
import { dyingWithParent } from './die-with-parent.js';
import { endAllIn, endGroup, endTree } from './end-child.js';
import { spawnWorker, startOrEnded } from './not-started.js';
import { PROJECT_ROOT, RUNNER_FOLDER } from './project-root.js';
import { TreeWatch } from './tree-watch.js';
import type { WorkerDriver, WorkerOptions, WorkerProcess } from './worker-driver.js';
import { bundleFlags, heapMb, idleArgument, memoryBytes, RUNNER_V8_FLAGS } from './worker-limits.js';

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

/** What a driver stands on. */
export interface ProcessOptions {
  readonly logger: Logger;
  /** A folder of its own, which workers run in. */
  readonly home: string;
  /** What runs in place of the runner. */
  readonly program?: string;
}

/**
 * Workers as plain child processes with a memory limit, an empty environment and Node's permission model. It keeps
 * honest code apart; it is no boundary against hostile native code, so it is for development and trusted machines.
 */
export class ProcessDriver implements WorkerDriver {
  readonly name = 'process';
  readonly #logger: Logger;
  readonly #home: string;
  readonly #command: readonly string[];
  readonly #program: string;
  readonly #workers = new Set<ChildWorker>();
  readonly #watch: TreeWatch;

  private constructor({ logger, home, program = RUNNER }: ProcessOptions, wrapper: readonly string[]) {
    this.#logger = logger;
    this.#program = program;
    this.#home = home;
    this.#command = [...wrapper, process.execPath, ...RUNNER_V8_FLAGS, ...PERMISSIONS];
    this.#watch = new TreeWatch(logger);
  }

  /** Makes the empty folder that workers run in; a folder that a crash left there is used again. */
  static async open(options: ProcessOptions): Promise<ProcessDriver> {
    await mkdir(options.home, { recursive: true, mode: 0o700 });
    return new ProcessDriver(options, await dyingWithParent());
  }

  start(options: WorkerOptions): WorkerProcess {
    let own: string | undefined;
    const begin = (): WorkerProcess => {
      if (options.bundles === true) own = realpathSync(mkdtempSync(path.join(this.#home, 'bundles-')));
      return this.#startIn(own, options);
    };
    return startOrEnded(begin, () => removed(own), this.#logger);
  }

  #startIn(own: string | undefined, { memoryMb, ...options }: WorkerOptions): WorkerProcess {
    const [program = process.execPath, ...flags] = this.#command;
    const granted = own === undefined ? [] : bundleFlags(own);
    const child = spawnWorker(
      program,
      [...flags, ...granted, `--max-old-space-size=${heapMb(memoryMb)}`, this.#program, ...idleArgument(options)],
      {
        cwd: own ?? this.#home,
        env: { TZ: 'UTC' },
        stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...(own === undefined ? [] : (['ignore', 'pipe'] as const))],
        detached: true, // it leads a process group, so that what it leaves behind can be found
      },
    );
    child.once('exit', () => {
      endGroup(child.pid);
      if (own !== undefined) endAllIn(own);
    });
    const forget = (): void => {
      this.#workers.delete(worker);
      this.#watch.forget(worker);
      removed(own);
    };
    const worker = new ChildWorker(child, this.#logger, forget, () => endTree(child));
    this.#workers.add(worker);
    this.#watch.add(worker, { memory: { bytesMax: memoryBytes(memoryMb) } });
    return worker;
  }

  async close(): Promise<void> {
    this.#watch.stop();
    for (const worker of this.#workers) worker.kill();
    await rm(this.#home, { recursive: true, force: true });
  }
}

function removed(folder: string | undefined): void {
  if (folder !== undefined) void rm(folder, { recursive: true, force: true });
}
