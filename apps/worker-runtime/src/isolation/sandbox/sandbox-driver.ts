import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '#libs/telemetry';
import type { Cgroups } from '../cgroups.js';
import { ChildWorker } from '../child-worker.js';
import { endSandbox } from '../end-child.js';
import { spawnWorker, startOrEnded } from '../not-started.js';
import { TreeWatch } from '../tree-watch.js';
import type { WorkerDriver, WorkerOptions, WorkerProcess } from '../worker-driver.js';
import { BUNDLES_MB, memoryBytes, PROCESSES_MAX, SCRATCH_FILES_MAX } from '../worker-limits.js';
import { filesOf, sandboxEnvironment, type SandboxHost } from './sandbox-host.js';
import { sandboxCommand, SCRATCH } from './sandbox-command.js';
import type { VisibleFile } from './runtime-files.js';
import type { SandboxProgram } from './sandbox-program.js';

/** What a driver stands on. */
export interface SandboxOptions {
  readonly logger: Logger;
  /** A folder of its own, for what bubblewrap reads at every start. */
  readonly home: string;
  readonly host: SandboxHost;
  readonly cgroups: Cgroups | undefined;
  readonly program: SandboxProgram;
  readonly scratchMb: number;
}

/**
 * Workers in bubblewrap sandboxes: namespaces of their own, no network, nothing of the host but the runtime, read-only,
 * and a scratch folder in memory. What each mechanism promises is in docs/isolation.md.
 */
export class SandboxDriver implements WorkerDriver {
  readonly name = 'sandbox';
  readonly #options: SandboxOptions;
  readonly #filterFile: string;
  readonly #files: readonly VisibleFile[];
  readonly #filesToInstall: readonly VisibleFile[];
  readonly #watch: TreeWatch;
  readonly #workers = new Set<ChildWorker>();

  private constructor(options: SandboxOptions) {
    this.#options = options;
    this.#filterFile = path.join(options.home, 'syscalls.bpf');
    const { host, program } = options;
    this.#files = filesOf(host, program);
    this.#filesToInstall = filesOf(host, {
      ...program,
      files: [...program.files, ...(program.installerFiles ?? [])],
    });
    this.#watch = new TreeWatch(options.logger);
  }

  /** Makes the folder; one that a crash left there is used again. */
  static async open(options: SandboxOptions): Promise<SandboxDriver> {
    await mkdir(options.home, { recursive: true, mode: 0o700 });
    const driver = new SandboxDriver(options);
    writeFileSync(driver.#filterFile, options.host.filter);
    return driver;
  }

  start(worker: WorkerOptions): WorkerProcess {
    const { cgroups, logger } = this.#options;
    const bytes = memoryBytes(worker.memoryMb + extraMb(worker));
    let cgroup: string | undefined;
    const undo = (): void => {
      if (cgroup !== undefined) cgroups?.remove(cgroup);
    };
    const begin = (): WorkerProcess => {
      cgroup = cgroups?.make({ memoryBytes: bytes, processes: PROCESSES_MAX });
      const child = this.#spawn(worker, cgroup);
      const forget = (): void => {
        this.#workers.delete(started);
        this.#watch.forget(started);
        undo();
      };
      const started = new ChildWorker(child, logger, forget, () => endSandbox(child));
      this.#workers.add(started);
      const scratch = { folder: SCRATCH, filesMax: SCRATCH_FILES_MAX };
      this.#watch.add(started, { memory: cgroup === undefined ? { bytesMax: bytes } : { cgroup }, scratch });
      return started;
    };
    return startOrEnded(begin, undo, logger);
  }

  async close(): Promise<void> {
    this.#watch.stop();
    for (const worker of this.#workers) worker.kill();
    await rm(this.#options.home, { recursive: true, force: true });
  }

  #spawn(worker: WorkerOptions, cgroup: string | undefined): ChildProcess {
    const { host, program, scratchMb } = this.#options;
    const plan = {
      files: worker.installs === true ? this.#filesToInstall : this.#files,
      command: program.command(worker),
      memoryMb: worker.memoryMb,
      scratchMb: scratchMb + extraMb(worker),
      reaped: worker.bundles === true,
    };
    const [file, ...args] = host.launch.command(sandboxCommand(host.tools, plan), cgroup);
    const filter = openSync(this.#filterFile, 'r'); // each start reads it from its beginning
    try {
      return spawnWorker(file, args, {
        cwd: '/',
        env: sandboxEnvironment(host),
        stdio: ['ignore', 'pipe', 'pipe', 'pipe', filter, ...(worker.bundles === true ? (['pipe'] as const) : [])],
      });
    } finally {
      closeSync(filter);
    }
  }
}

/** Unpacked bundles lie in the scratch folder, which is memory. */
function extraMb({ bundles }: WorkerOptions): number {
  return bundles === true ? BUNDLES_MB : 0;
}
