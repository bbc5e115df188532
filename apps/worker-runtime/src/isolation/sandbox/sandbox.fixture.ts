import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLogger } from '#libs/telemetry';
import { bubblewrapOfTheRun } from '#libs/testing';
import type { Cgroups } from '../cgroups.js';
import { ProcessTable } from '../process-table.js';
import type { WorkerExit, WorkerProcess } from '../worker-driver.js';
import { INSIDE, filesOfModules } from './runtime-files.js';
import { SandboxDriver } from './sandbox-driver.js';
import { findSandboxHost, type SandboxHost } from './sandbox-host.js';
import { nodeFiles, nodeProgram, type SandboxProgram } from './sandbox-program.js';
import { PROJECT_ROOT, RUNNER_FOLDER } from '../project-root.js';

const FOLDER = 'dist/apps/worker-runtime/src/isolation/sandbox';
const SCRATCH_MB = 16;

/** The hostile program, with everything that a runner may read. */
async function hostileProgram(): Promise<SandboxProgram> {
  const folder = { from: path.join(PROJECT_ROOT, FOLDER), to: path.join(INSIDE, FOLDER) };
  const program = nodeProgram(
    [...(await nodeFiles()), ...filesOfModules(RUNNER_FOLDER), folder],
    [],
    path.join(INSIDE, FOLDER, 'hostile.fixture.js'),
  );
  // What a runner's permissions are does not matter: it has none that the sandbox lacks.
  return { ...program, command: ({ memoryMb }) => program.command({ memoryMb }) };
}

/** What this machine makes sandboxes with, or the reason why it cannot. */
export async function sandboxHost(): Promise<SandboxHost | string> {
  const { WHARF_BUBBLEWRAP, WHARF_BUBBLEWRAP_LIBRARIES } = bubblewrapOfTheRun();
  try {
    return await findSandboxHost(
      { program: WHARF_BUBBLEWRAP, libraryPath: WHARF_BUBBLEWRAP_LIBRARIES ?? '' },
      await hostileProgram(),
    );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Hostile workers and what they print. */
export interface HostileWorkers {
  readonly lines: readonly string[];
  start(memoryMb?: number): HostileWorker;
  /** One as code of others runs in: with bubblewrap as its first process, and a way out. */
  startForBundles(): HostileWorker;
  close(): Promise<void>;
}

/** A driver whose workers are hostile, held by the watch or, where they are given, by cgroups. */
export async function openHostileWorkers(host: SandboxHost | string, cgroups?: Cgroups): Promise<HostileWorkers> {
  if (typeof host === 'string') throw new Error(host);
  const home = mkdtempSync(path.join(tmpdir(), 'wharf-hostile-'));
  const lines: string[] = [];
  const logger = createLogger('test', 'silent');
  logger.level = 'warn';
  logger.warn = ((...parts: unknown[]) => lines.push(JSON.stringify(parts))) as typeof logger.warn; // all a driver calls
  const driver = await SandboxDriver.open({
    logger,
    home,
    host,
    cgroups,
    program: await hostileProgram(),
    scratchMb: SCRATCH_MB,
  });
  return {
    lines,
    start: (memoryMb = 256) => new HostileWorker(driver.start({ memoryMb })),
    startForBundles: () => new HostileWorker(driver.start({ memoryMb: 256, bundles: true })),
    close: async () => {
      await driver.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** One hostile worker, told what to do by a test. */
export class HostileWorker {
  readonly exited: Promise<WorkerExit>;
  readonly #process: WorkerProcess;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #last = 0;

  constructor(process: WorkerProcess) {
    this.#process = process;
    this.exited = new Promise((resolve) => {
      process.assign(
        { tenantId: 'hostile' },
        {
          onFrame: (frame, payload) => {
            if (frame.t === 'part') this.#waiting.get(frame.s)?.(JSON.parse(payload.toString()));
          },
          onExit: resolve,
        },
      );
    });
  }

  /** Has it attack, and returns what it found. */
  does<Found>(attack: string, given: unknown = null): Promise<Found> {
    const s = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(s, (result) => resolve(result as Found)); // the attack's result, as the test reads it
      void this.exited.then(() => reject(new Error(`the worker ended before it had done: ${attack}`)));
      this.#process.send(
        { t: 'message', s, era: 'modern', operation: 'message', deadlineMs: 0 },
        Buffer.from(JSON.stringify([attack, given])),
      );
    });
  }

  /** Begins an attack that does not end by itself. */
  begins(attack: string, given?: unknown): void {
    this.does(attack, given).catch(() => undefined);
  }

  /** Its processes as the host sees them, its own first. */
  processes(): number[] {
    const { pid } = this.#process as unknown as { readonly pid: number | undefined }; // a child process has one
    return pid === undefined ? [] : new ProcessTable().treeOf(pid);
  }

  stop(): void {
    this.#process.stop();
  }

  kill(): void {
    this.#process.kill();
  }
}
